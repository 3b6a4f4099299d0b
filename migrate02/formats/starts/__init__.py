"""How etcd is started: from the words of a command, through what starts what, to its flags and variables. Pure."""
