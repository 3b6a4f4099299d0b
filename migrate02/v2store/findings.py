"""What a plan for a cluster of 3.5 or 3.6 has to say besides its steps: codes, their stories and texts."""

from __future__ import annotations

from compat.findings import REVIEW, Code

MEMBER_NOT_GIVEN = Code(
    "member-not-given",
    REVIEW,
    "a member whose data directory was not given",
    "v2store plan reads the data directories of all members, and their database lists one more member. The plan is "
    "still made, with a placeholder for that member's directory. Check it like the others: a member that is not "
    "cleaned may send its snapshot to them.",
)
NOT_GIVEN = MEMBER_NOT_GIVEN.text(
    "{name} is also a member of this cluster, and its data directory was not given.",
    "Give it too, or a copy of it.",
)

DOUBTFUL_DIRECTORY = Code(
    "doubtful-directory",
    REVIEW,
    "a data directory of etcd 3.x with a problem",
    "Something in the directory is damaged or half written, or it belongs to a member that the cluster no longer "
    "has, or to a cluster that has not come to 3.5 yet. The report about this directory may be wrong, and v2store "
    "clean may refuse it. If the member is running, it may have been writing at that moment.",
)
NOTED = DOUBTFUL_DIRECTORY.text(
    "{note}.",
    "If the member was running, make the plan again. If not, start and stop it once with its own release.",
)
REFUSED = DOUBTFUL_DIRECTORY.text(
    "v2store clean would refuse this directory: {reason}",
    "If the member was running, make the plan again. If not, follow the message, and make the plan again.",
)
NO_MEMBER = DOUBTFUL_DIRECTORY.text(
    "{path} belongs to {name}, which the cluster no longer has as a member.",
    "Do not include this directory: the member must not be started again.",
)
BEFORE_35 = DOUBTFUL_DIRECTORY.text(
    "The cluster's version is {version}, and you can reach 3.6 only through 3.5.",
    "Bring every member to the newest 3.5 first; then make this plan again.",
)
