"""etcd's messages as protobuf: our own ``.proto`` text, and the modules generated from it.

Nothing here is written by hand but the ``.proto`` files and this one. After a change, from the root of the repository:

    python -m grpc_tools.protoc -I. --python_out=. --pyi_out=. server/proto/*.proto
"""
