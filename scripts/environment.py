"""Makes `.venv`: exactly the packages of requirements.txt, for this clone and no other.

Runs on the bare Python 3.11 that scripts/setup found, so it may use the standard library only.
"""

import fcntl
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
VENV = ROOT / ".venv"
REQUIREMENTS = ROOT / "requirements.txt"
STAMP = VENV / "complete"  # written last, so an installation that was interrupted is never taken for a whole one

BYTES_NEEDED = 1_500_000_000  # the installed packages take 0.65 GB, and as much again while they are unpacked


class SetupFailed(Exception):
    """What went wrong and what to do, for the person at the keyboard."""


def main() -> int:
    try:
        with REQUIREMENTS.open() as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # two verbs started at once: the second waits for the first one's work
            if not is_up_to_date():
                make()
    except SetupFailed as failure:
        print(f"\n{failure}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped. The next call starts the installation again.", file=sys.stderr)
        return 130
    return 0


def fingerprint() -> str:
    """What the environment must have been made from; its path belongs to it, since its programs name it."""
    return f"{VENV.resolve()}\n{REQUIREMENTS.read_text()}"


def is_up_to_date() -> bool:
    return STAMP.is_file() and (VENV / "bin/python").exists() and STAMP.read_text() == fingerprint()


def make() -> None:
    """Builds the environment anew: what requirements.txt no longer names must not linger."""
    free = shutil.disk_usage(ROOT).free
    if free < BYTES_NEEDED:
        raise SetupFailed(
            f"There is too little room on the disk that holds {ROOT}: {free / 1e9:.1f} GB are free, "
            f"{BYTES_NEEDED / 1e9:.1f} GB are needed.\nFree some, or move the clone to another disk."
        )
    print(f"Setting up .venv with Python {sys.version.split()[0]} (once; about a minute)", flush=True)
    started = time.monotonic()
    create_venv()
    install()
    STAMP.write_text(fingerprint())
    print(f"The environment is ready, after {time.monotonic() - started:.0f} s.", flush=True)


def create_venv() -> None:
    made = subprocess.run(
        [sys.executable, "-m", "venv", "--clear", str(VENV)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if made.returncode:
        raise SetupFailed(
            f"{made.stdout.strip()}\n\nPython could not make a virtual environment. On Debian and Ubuntu that part of "
            "Python is a package of its own:\n    apt install python3.11-venv\nThen run this again."
        )


def install() -> None:
    wanted = [line for line in REQUIREMENTS.read_text().splitlines() if line and not line.startswith("#")]
    log = VENV / "install.log"
    command: list[str | Path] = [
        VENV / "bin/python",
        "-m",
        "pip",
        "install",
        "--disable-pip-version-check",
        "--no-input",
    ]
    # The list is whole, so nothing is to be resolved; and a package without a wheel would need compilers.
    command += ["--no-deps", "--only-binary=:all:", "--requirement", REQUIREMENTS]
    with log.open("w") as output:
        pip = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)
        try:
            show_progress(pip, log, len(wanted))
        except BaseException:
            pip.terminate()
            raise
    if pip.returncode:
        last_lines = "\n".join(log.read_text(errors="replace").splitlines()[-12:])
        raise SetupFailed(
            f"{last_lines}\n\nThe packages of requirements.txt could not be installed (everything pip said: {log}).\n"
            "Is a package index within reach (network, proxy, pip's own configuration)? Then run this again."
        )


def show_progress(pip: subprocess.Popen, log: Path, total: int) -> None:
    """One line that moves on a terminal; elsewhere a line every ten seconds."""
    site_packages = next(VENV.glob("lib/python3.11/site-packages"))
    on_terminal = sys.stdout.isatty()
    silent_until = 0.0
    while pip.poll() is None:
        if on_terminal or time.monotonic() >= silent_until:
            silent_until = time.monotonic() + 10
            text = log.read_text(errors="replace")
            if "Installing collected packages" in text:
                done, doing = len(list(site_packages.glob("*.dist-info"))), "installed"
            else:
                done, doing = text.count("Collecting "), "collected"
            line = f"  {min(done, total):3} of {total} packages {doing}"
            print(f"\r{line}" if on_terminal else line, end="" if on_terminal else "\n", flush=True)
        time.sleep(0.3)
    if on_terminal:
        print()


if __name__ == "__main__":
    sys.exit(main())
