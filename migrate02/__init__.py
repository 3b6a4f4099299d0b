"""The migration tool: configuration in, configuration and findings out."""
