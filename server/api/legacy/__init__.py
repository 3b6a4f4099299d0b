"""What etcd 0.4 served and 2.x dropped, for the programs that still ask for it; on with ``--legacy-api``.

Statuses, texts and JSON are 0.4.9's, seen on the binary; ``docs/legacy-api.md`` lists what is restored and what not.
Everything here uses the same members and the same key space as ``/v2``, goes through the same log and asks the
same auth. A member without it answers all of this 404, as 2.x does. Never changes how an answer of ``/v2/keys`` looks.
"""

from server.api.legacy.admin import serve_admin
from server.api.legacy.cluster import registry_event
from server.api.legacy.routes import LegacyApi

__all__ = ["LegacyApi", "registry_event", "serve_admin"]
