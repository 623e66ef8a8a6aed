"""The services by hand: run them, or a command beside them, or say where they are.

python -m creditbank.services --home .demo env            variables of what runs there
python -m creditbank.services --home .bank-dev run        until Ctrl-C
python -m creditbank.services --home .bank-dev run -- python manage.py migrate
"""

from __future__ import annotations

import argparse
import os
import shlex
import signal
import subprocess
import sys
from pathlib import Path

from creditbank.services import stack
from creditbank.services.errors import ServiceError


def read(arguments: list[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m creditbank.services", description=__doc__)
    parser.add_argument("--home", type=Path, default=Path(".demo"), help="the services' folder")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("env", help="print the variables of the services that run in the folder")
    run = commands.add_parser("run", help="start them, until Ctrl-C or the end of a command")
    run.add_argument("--fleeting", action="store_true", help="fast, but lost in a power cut")
    run.add_argument("program", nargs="*", metavar="PROGRAM", help="after --, with its arguments")
    return parser.parse_args(arguments)


def show(variables: dict[str, str]) -> None:
    """Print variables so that a shell can read them."""
    for name, value in variables.items():
        print(f"export {name}={shlex.quote(value)}", flush=True)


def run(home: Path, *, durable: bool, program: list[str]) -> int:
    """Run the services, and the program beside them; return the program's exit status."""
    with stack.Stack(home, durable=durable, outside=os.environ) as services:
        if not program:
            show(services.environment())
            signal.sigwait({signal.SIGINT, signal.SIGTERM})
            return 0
        child = subprocess.Popen(program, env=services.child_environment())
        # A Ctrl-C at the terminal reaches the program by itself, and it decides
        # when it ends; what is sent to us alone is passed on.
        signal.signal(signal.SIGTERM, lambda number, _: child.send_signal(number))
        return child.wait()


def main() -> int:
    """Do what the command line says."""
    options = read(sys.argv[1:])
    try:
        if options.command == "env":
            show(stack.environment(options.home))
            return 0
        if options.program:
            signal.signal(signal.SIGINT, signal.SIG_IGN)
        else:
            # Blocked from the start, so that one that comes while servers start
            # is not lost and leaves nothing running.
            signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
        return run(options.home, durable=not options.fleeting, program=options.program)
    except ServiceError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    raise SystemExit(main())
