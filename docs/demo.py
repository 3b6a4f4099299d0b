"""``make demo``: convert a 0.4 configuration, serve keys with it on the old port, stop. About three seconds."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

LEGACY = Path(__file__).parent.parent / "fixtures" / "demo" / "etcd.conf"
CLIENT = "http://127.0.0.1:4001"


def main() -> int:
    say("A configuration of etcd 0.4:")
    print(LEGACY.read_text())
    say(f"$ migrate02 convert {LEGACY.name}")
    subprocess.run(["migrate02", "convert", str(LEGACY)], check=False)
    arguments = json.loads(output("migrate02", "convert", "--to", "args-json", str(LEGACY)))

    with tempfile.TemporaryDirectory(prefix="migrate02-demo-") as directory:
        say("$ etcd02 " + " ".join(arguments))
        with open(Path(directory) / "log", "w+") as log:
            server = subprocess.Popen(["etcd02", *arguments], cwd=directory, stdout=log, stderr=log)
            try:
                if not wait_until_it_serves(server):
                    log.seek(0)
                    print(log.read(), file=sys.stderr)
                    print(
                        "The server did not start; is something else on ports 4001 and 7001?", file=sys.stderr
                    )
                    return 1
                write_and_read()
            finally:
                server.terminate()
                server.wait(10)
    say("Stopped. That was an untouched 0.4 client, a converted configuration and a 2.x server.")
    return 0


def write_and_read() -> None:
    say(f"$ curl -L {CLIENT}/v2/keys/message -XPUT -d value=hello")
    print(request("PUT", "/v2/keys/message", b"value=hello"))
    say(f"$ curl -L {CLIENT}/v2/keys/message")
    print(request("GET", "/v2/keys/message"))


def wait_until_it_serves(server: subprocess.Popen[bytes]) -> bool:
    deadline = time.monotonic() + 15
    while time.monotonic() < deadline and server.poll() is None:
        try:
            request("GET", "/health")
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
        else:
            return True
    return False


def request(method: str, path: str, body: bytes | None = None) -> str:
    with urllib.request.urlopen(
        urllib.request.Request(CLIENT + path, body, method=method), timeout=5
    ) as answer:
        return str(answer.read().decode()).strip()


def output(*command: str) -> str:
    """The command's output; its findings have been shown before. Exit 2 means that some are left for a person."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=False)
    if done.returncode not in (0, 2):
        raise SystemExit(f"{' '.join(command)} exited with {done.returncode}")
    return done.stdout


def say(text: str) -> None:
    print(f"\n\033[1m{text}\033[0m" if sys.stdout.isatty() else f"\n{text}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
