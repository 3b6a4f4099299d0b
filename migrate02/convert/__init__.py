"""From a text with settings of etcd to what becomes of it: one document, one setup of etcd, many files at once.

Pure: names and texts in, texts and findings out. Reading and writing files is done in ``files``.
"""
