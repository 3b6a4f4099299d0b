"""What a plan for a cluster of 3.5 or 3.6 has to say besides its steps: codes, their stories and texts."""

from __future__ import annotations

from compat.findings import REVIEW, Code

MEMBER_NOT_GIVEN = Code(
    "member-not-given",
    REVIEW,
    "a member whose data directory was not given",
    "v2store plan reads the data directories of all members, and the database in them lists one more. A plan is made "
    "all the same, with a directory to fill in for that member. It has to be looked at like the others: a member that "
    "is not cleaned may send its snapshot to them.",
)
NOT_GIVEN = MEMBER_NOT_GIVEN.text(
    "{name} is a member of this cluster, too, and its data directory was not given.",
    "Give it as well, or a copy of it.",
)

DOUBTFUL_DIRECTORY = Code(
    "doubtful-directory",
    REVIEW,
    "a data directory of etcd 3.x that is not as it should be",
    "Something in the directory of a member is damaged or half written, it is of a member that the cluster no longer "
    "has, or of a cluster that has not come to 3.5 yet. What is said of the directory may be wrong, and v2store clean "
    "may refuse it. A member that runs may have been writing just then.",
)
NOTED = DOUBTFUL_DIRECTORY.text(
    "{note}.",
    "If the member was running, make the plan again. If not, start it with its own release once, and stop it.",
)
REFUSED = DOUBTFUL_DIRECTORY.text(
    "v2store clean would refuse a directory as it is: {reason}",
    "If the member was running, make the plan again. If not, do what is said there, and then make the plan again.",
)
NO_MEMBER = DOUBTFUL_DIRECTORY.text(
    "{path} is of {name}, which the cluster no longer has as a member.",
    "Leave this directory out: the member must not be started again.",
)
BEFORE_35 = DOUBTFUL_DIRECTORY.text(
    "The cluster's version is {version}, and the way to 3.6 goes through 3.5.",
    "Bring every member to the newest 3.5 first; then make this plan again.",
)
