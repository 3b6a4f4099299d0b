"""What a shell would do with a script, as far as that can be told without running it. Pure."""
