"""The client HTTP API of an etcd 2.x member.

``paths``, ``form``, ``keys`` and ``jsonform`` are its framework-free core: bytes and text in, values and bytes out,
with no asyncio, no aiohttp, no clock. What carries them over HTTP is ``server.http``.
"""
