"""The discovery service: hands out discovery URLs, and keeps who has registered under each.

What is under a URL is a directory of a v2 key space; the service gives it a short name, a life time, and no way out
of it. Whose key space that is, the one in the same process or another etcd's, it does not know. The side of the members
is in ``server.cluster``.
"""
