"""Other members that a member asks before it starts, as tables: who answers what."""

from collections.abc import Mapping

from server.cluster import Member, PeerAnswer, PeerUnreachable


def nobody(url: str, path: str, patience: float) -> PeerAnswer:
    """Every peer URL refuses the connection."""
    raise PeerUnreachable(
        f'Get "{url}{path}": dial tcp {url.removeprefix("http://")}: connect: connection refused'
    )


def members_reply(cluster: int, *members: Member) -> PeerAnswer:
    """What GET /members answers."""
    body = b"[" + b",".join(member.context for member in members) + b"]\n"
    return PeerAnswer(200, {"X-Etcd-Cluster-ID": f"{cluster:x}"}, body)


def version_reply(cluster: str, server: str = "2.3.8") -> PeerAnswer:
    """What GET /version answers."""
    return PeerAnswer(200, {}, f'{{"etcdserver":"{server}","etcdcluster":"{cluster}"}}'.encode())


class Others:
    """Answers by URL with its path; all else refuses the connection. ``asked`` are all questions with their patience,
    in order."""

    def __init__(self, answers: Mapping[str, PeerAnswer]) -> None:
        self.answers = dict(answers)
        self.asked: list[tuple[str, float]] = []

    def __call__(self, url: str, path: str, patience: float) -> PeerAnswer:
        self.asked.append((url + path, patience))
        if url + path not in self.answers:
            return nobody(url, path, patience)
        return self.answers[url + path]
