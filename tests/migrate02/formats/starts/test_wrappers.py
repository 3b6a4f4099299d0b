"""Which program a command starts, however many others start it: by the manuals of those."""

import pytest

from migrate02.formats.scripts.scan import scan
from migrate02.formats.starts.follow import follow
from migrate02.formats.view import View

FLAGS = "-name a -peer-addr h:7001"

STARTS = """\
etcd
/usr/bin/etcd
/opt/etcd-v0.4.6-linux-amd64/etcd
exec etcd
exec -a etcd-main /usr/bin/etcd
env ETCD_X=1 -u HOME etcd
env -i PATH=/bin etcd
nohup nice -n 10 ionice -c2 -n 7 etcd
nice -5 etcd
setsid -f etcd
timeout -s KILL 10m etcd
stdbuf -oL etcd
taskset -c 0,1 etcd
chrt -f 10 etcd
numactl --cpunodebind=0 -m 0 etcd
flock -n /var/lock/etcd etcd
chroot --userspec=etcd:etcd /srv/etcd /bin/etcd
sudo -u etcd -H -- etcd
sudo -Eu etcd ETCD_X=1 etcd
sudo -uetcd etcd
doas -u etcd etcd
runuser -u etcd -- etcd
runuser --user=etcd etcd
su-exec etcd:etcd etcd
gosu etcd etcd
setuidgid etcd etcd
chpst -u etcd:etcd -o 4096 -e ./env etcd
chpst -u etcd -v etcd
softlimit -o 4096 setuidgid etcd envdir ./env etcd
s6-setuidgid etcd etcd
daemonize -u etcd -p /run/etcd.pid -o /var/log/etcd /usr/bin/etcd
daemon --user=etcd --pidfile=/run/etcd.pid etcd
daemon --user etcd --pidfile /run/etcd.pid +5 etcd
systemd-run --unit etcd -p LimitNOFILE=4096 etcd
systemd-cat -t etcd etcd
ip netns exec blue etcd
busybox nohup etcd
tini -s -- etcd
screen -dmS etcd etcd
tmux new-session -d -s etcd etcd
ssh -p 2222 core@host etcd
start-stop-daemon --start --exec /usr/bin/etcd --
start-stop-daemon -S -b -m -p /run/etcd.pid -c etcd:etcd -x /usr/bin/etcd --
start-stop-daemon -Sbmp /run/etcd.pid -x /usr/bin/etcd --
start-stop-daemon --start --startas=/usr/bin/etcd --name etcd --
start-stop-daemon --start --startas /usr/bin/env -- ETCD_X=1 etcd
sudo start-stop-daemon --start --exec /usr/bin/nice -- -n 5 etcd
docker run -d --name etcd -p 4001:4001 coreos/etcd:v0.4.6
sudo docker run --net=host quay.io/coreos/etcd:v0.4.6 /etcd
""".splitlines()

IN_A_TEXT = """\
sh -c 'T'
/bin/sh -xc 'T'
bash -l -c 'T'
bash -o pipefail -c 'T'
su etcd -c 'T'
su - etcd -s /bin/sh -c 'T'
su -c 'T' etcd
su --command='T' etcd
runuser -l etcd -c 'T'
runuser etcd --command 'T'
sudo -u etcd sh -c 'T'
eval 'T'
daemon --user=etcd 'T'
ssh host 'T'
vagrant ssh core-01 -c 'T'
start-stop-daemon --start --startas /bin/bash -- -c 'T'
exec chpst -u etcd sh -c 'T'
flock /var/lock/etcd -c 'T'
tmux new -d 'T'
""".splitlines()

NONE = """\
echo etcd -addr h:1
which etcd
command -v etcd
pkill -f etcd
service etcd start
su etcd
chown etcd /var/lib/etcd
mkdir -p /var/lib/etcd
sudo -l etcd
test -x /usr/bin/etcd
cat /etc/etcd
etcd is up
start-stop-daemon --start --exec /usr/bin/etcd -c etcd --test
start-stop-daemon --start --exec /usr/bin/etcd -t -- -addr h:1
start-stop-daemon --stop --exec /usr/bin/etcd -- -addr h:1
start-stop-daemon --status --pidfile /run/etcd.pid --exec /usr/bin/etcd
start-stop-daemon --start --exec /usr/bin/other -c etcd -- -addr h:1
backup /var/lib/etcd -addr h:1
sh -c 'backup -peer-addr h:7001 -data-dir /var/lib/etcd'
""".splitlines()


@pytest.mark.parametrize("command", STARTS)
def test_what_stands_behind_the_wrappers_is_the_program_with_its_flags(command: str) -> None:
    (found,) = scan(View(f"{command} {FLAGS}", "f")).commands
    start = follow(found.words).start
    assert start is not None
    assert " ".join(word.text for word in start.args) == FLAGS
    assert [item.name for item in start.assigned] == (["ETCD_X"] if "ETCD_X" in command else
                                                     ["PATH"] if "PATH" in command else [])  # fmt: skip


@pytest.mark.parametrize("command", IN_A_TEXT)
def test_a_command_for_a_shell_is_found_where_its_wrapper_has_it(command: str) -> None:
    text = f"exec etcd {FLAGS} -data-dir /var/lib/etcd"
    (found,) = scan(View(command.replace("T", text), "f")).commands
    followed = follow(found.words)
    assert followed.start is None
    (inside,) = followed.texts
    assert text in inside.text


@pytest.mark.parametrize("command", NONE)
def test_a_word_that_ends_like_the_program_is_no_start(command: str) -> None:
    (found,) = scan(View(command, "f")).commands
    start = follow(found.words).start
    assert start is None or (start.closed and not start.args)
    for text in follow(found.words).texts:
        inside = [follow(inner.words).start for inner in scan(View(text.text, "f")).commands]
        assert inside == [None]
