"""`python -m creditbank.services.launcher demo`: what `make demo` runs.

    services → migrate, static files → signer → web, worker, beat → seed → until Ctrl-C

`PORT` and `DEMO_DIR` choose the port and the data folder. A second run keeps
the data. However it ends (Ctrl-C, SIGTERM, a program that dies, `kill -9`), no
process stays: see `keeper.py`.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Final
from urllib.parse import urlsplit

from creditbank.services import programs, stack
from creditbank.services.console import Console, Follower
from creditbank.services.errors import ServiceError, StartFailed
from creditbank.services.keeping import Kept, tail
from creditbank.services.ports import is_taken

PORT: Final = 8000
FOLDER: Final = ".demo"
LOOK_EVERY: Final = 0.1
START_WAIT: Final = 60.0
ENDED_BADLY: Final = 1
REFUSED: Final = 2

NOT_PASSED_ON: Final = ("KEYS_DATABASE_URL", "CACHE_URL", "SIGNER_SOCKET")
"""Variables of a larger installation, in which the demo's parts would miss each other."""

THINGS_TO_TRY: Final = """\
试一试 / Four things to try
  1. 登录学习者账户，点开每个数字看来源，再申请一份学分证明并下载 PDF。
     Sign in as a learner ({url}/me), open the list behind a figure, request a
     transcript and download its PDF.
  2. 退出登录，把这份 PDF 拖到 {url}/verify；改动其中一个数字再拖一次，看它指出哪里不符。
     Sign out and drop that PDF there; change one digit, drop it again, and be
     told which field differs.
  3. 以办学机构经办人登录录入一条学分，换一位复核人通过，再到 {url}/log 查它的证明。
     Sign in as an institution's clerk, record a credit, approve it as another
     person, and check its proof in the public log.
  4. 登录 learner，在“我的目标”（{url}/me/goals）添加“现代物流管理（专科）”，看一张证书能抵什么，
     提交申请；再以 nanpu-reviewer 登录，在队列中审核。一份认定决定任何人都能离线重算：
     Sign in as learner, add that programme to the goals, see what a certificate counts
     for, and ask for it; decide as nanpu-reviewer in the queue. Anyone recomputes a
     decision offline:
       {replay}
"""

DECISIONS: Final = "decisions"
TRUST: Final = "trust.json"
"""Where, in the demo's folder, seeding writes decisions, and what they are checked with."""


class PortTaken(ServiceError):
    """Something else listens on the port."""

    code = "port-taken"


class ProgramDied(ServiceError):
    """A program that should run has ended."""

    code = "program-died"


class Asked(Exception):
    """Someone pressed Ctrl-C or sent SIGTERM."""


@dataclass(frozen=True, kw_only=True)
class Options:
    """What the environment chooses."""

    port: int
    folder: Path

    @property
    def url(self) -> str:
        """The address for browsers. `localhost`: passkeys refuse 127.0.0.1."""
        return f"http://localhost:{self.port}"

    @classmethod
    def read(cls) -> Options:
        """Read PORT and DEMO_DIR. Raises ServiceError on a port that is none."""
        text = os.environ.get("PORT") or str(PORT)
        if not text.isdecimal() or not 1 <= int(text) <= 65535:
            raise ServiceError(f"PORT must be a number from 1 to 65535, not {text!r}")
        return cls(port=int(text), folder=Path(os.environ.get("DEMO_DIR") or FOLDER).absolute())


class Demo:
    """One run of the demo, from the first line to the last process."""

    def __init__(self, options: Options, console: Console) -> None:
        self._options = options
        self._console = console
        self._stack = stack.Stack(options.folder, outside=os.environ)
        self._logs = self._stack.bank_home / "logs"
        self._running: list[Kept] = []
        self._passing: list[Kept] = []
        self._asked = False
        self._parent = os.getppid()

    def run(self) -> int:
        """Run until someone asks to stop (0) or something fails (1)."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._ask)
        try:
            self._start()
            self._invite()
            self._wait(lambda: False)
        except Asked:
            self._console.line()
            return 0
        except ServiceError as error:
            self._console.line(f"\n错误 / error: {error}\n")
            return ENDED_BADLY
        finally:
            self._stop()
        raise AssertionError("waiting ends by an exception only")

    def _ask(self, _number: int, _frame: FrameType | None) -> None:
        self._asked = True

    def _start(self) -> None:
        console = self._console
        if is_taken(self._options.port):
            raise PortTaken(
                f"port {self._options.port} is in use; choose another: make demo PORT=8001"
            )
        _refuse_other_machines()
        with console.doing("启动数据库与消息队列 / starting PostgreSQL and Valkey"):
            self._stack.start()
        self._look()
        if self._stack.postgres is not None and not self._stack.postgres.folder.is_relative_to(
            self._stack.home
        ):
            console.step(
                f"数据库文件在 / database files are in {self._stack.postgres.folder}"
                " (the service's user cannot reach the demo's folder)"
            )
        self._logs.mkdir(mode=0o700, exist_ok=True)
        make = self._programs("DATABASE_URL")
        with console.doing("建立数据表与静态文件 / migrating, collecting static files"):
            static = self._pass(make.manage("static", "collectstatic", "--no-input", "-v0"))
            self._migrate()
            self._finish(static)
        with console.doing("启动签名程序 / starting the signer"):
            signer = self._keep(self._programs("SIGNER_DATABASE_URL").signer())
            socket = self._stack.bank_home / "signer" / "signer.sock"
            self._expect(lambda: programs.answers(socket), signer)
        with console.doing("启动网站 / starting the web"):
            web = self._keep(make.web(self._options.port))
            self._expect(self._web_is_up, web)
        console.step(f"首页 / home page: {self._options.url}/")
        self._keep(make.worker())
        self._keep(make.beat(self._stack.bank_home))
        with console.doing("写入演示数据，进度亦见首页 / seeding; the home page shows it too"):
            self._finish(self._pass(make.manage("seed", "seed")), show=True)

    def _programs(self, role: str) -> programs.Programs:
        """Return a maker of programs that know the way to the database in one role alone."""
        environment = self._stack.child_environment(
            DJANGO_SETTINGS_MODULE="creditbank.settings",
            BANK_DEMO="1",
            STAFF_SECOND_FACTOR="0",
            PUBLIC_URL=self._options.url,
            DEMO_DIR=str(self._options.folder),
        )
        url = environment[role]
        for name in (*stack.DATABASE_VARIABLES, *NOT_PASSED_ON):
            environment.pop(name, None)
        environment["SIGNER_DATABASE_URL" if "SIGNER" in role else "DATABASE_URL"] = url
        return programs.Programs(environment, self._logs)

    def _migrate(self) -> None:
        """Migrate as the owner, a role that no program which stays ever has."""
        self._finish(self._pass(self._programs("DATABASE_OWNER_URL").migrate()))

    def _web_is_up(self) -> bool:
        status = programs.web_status(self._options.port)
        return status is not None and status < 500

    def _invite(self) -> None:
        accounts = self._options.folder / "accounts.txt"
        line = self._console.line
        line()
        line(f"终身教育学分银行 / the credit bank: {self._options.url}/")
        line(f"  公开账本 / public log           {self._options.url}/log")
        line(f"  核验学分证明 / verification     {self._options.url}/verify")
        line(f"  接口文档 / API documentation   {self._options.url}/api/docs")
        line()
        if accounts.exists():
            line(accounts.read_text(encoding="utf-8").rstrip())
            line()
        line(THINGS_TO_TRY.format(url=self._options.url, replay=self._replay()))
        line(f"日志 / logs: {self._logs}    数据 / data: {self._options.folder}")
        self._console.step("就绪；Ctrl-C 停止 / ready; Ctrl-C stops everything")

    def _replay(self) -> str:
        """Return the command that recomputes one of the demo's decisions."""
        folder = self._options.folder / DECISIONS
        file = next(iter(sorted(folder.glob("*.json"))), folder / "DECISION.json")
        python, decision, trust = (
            os.path.relpath(path) for path in (sys.executable, file, self._options.folder / TRUST)
        )
        return f"{python} -m creditbank.recognition.replay {decision} --trust {trust}"

    # -- children -----------------------------------------------------------------------------

    def _keep(self, program: Kept) -> Kept:
        """Start a program that should run until we stop it."""
        program.start()
        self._running.append(program)
        return program

    def _pass(self, program: Kept) -> Kept:
        """Start a program that should end well by itself."""
        program.start()
        self._passing.append(program)
        return program

    def _finish(self, program: Kept, *, show: bool = False) -> None:
        """Wait for the end of such a program, if asked showing what it says. Raises ProgramDied."""
        follower = Follower(program.log, self._console) if show else None

        def ended() -> bool:
            if follower is not None:
                follower.copy()
            return program.poll() is not None

        self._wait(ended, poll=program)
        if follower is not None:
            follower.copy()
        self._passing.remove(program)
        if program.poll() != 0:
            raise _died(program)

    def _expect(self, ready: Callable[[], bool], program: Kept) -> None:
        """Wait until something is ready. Raises StartFailed when that takes too long."""
        waited = 0.0

        def is_ready() -> bool:
            nonlocal waited
            waited += LOOK_EVERY
            if waited > START_WAIT:
                raise StartFailed(f"{program.name} did not get ready:\n{program.tail()}")
            return ready()

        self._wait(is_ready)

    def _wait(self, done: Callable[[], bool], *, poll: Kept | None = None) -> None:
        """Look again and again until it is done. Raises Asked or ProgramDied."""
        while not done():
            self._look()
            if poll is not None:
                poll.wait(LOOK_EVERY)
            else:
                time.sleep(LOOK_EVERY)

    def _look(self) -> None:
        if self._asked:
            raise Asked
        # Whoever kills `make` wants the demo gone, and make cannot pass that on.
        if "MAKELEVEL" in os.environ and os.getppid() != self._parent:
            raise Asked
        for server in self._stack.servers():
            if server.poll() is not None:
                raise ProgramDied(f"{server.name} ended by itself:\n{tail(server.log)}")
        for program in self._running:
            if program.poll() is not None:
                raise _died(program)

    def _stop(self) -> None:
        """Stop everything, the last started first: nobody loses what they still need."""
        console = self._console
        with console.doing("停止 / stopping"):
            for program in reversed(self._passing + self._running):
                program.stop()
            self._stack.stop()
        console.step("已全部停止 / everything has stopped")


def _died(program: Kept) -> ProgramDied:
    return ProgramDied(
        f"{program.name} ended by itself with status {program.poll()};"
        f" the end of {program.log}:\n{program.tail()}"
    )


def _refuse_other_machines() -> None:
    """Refuse a database elsewhere: the demo's accounts have passwords that anyone may read here."""
    host = urlsplit(os.environ.get("DATABASE_URL", "")).hostname or "localhost"
    if host not in ("localhost", "127.0.0.1", "::1"):
        raise ServiceError(
            f"DATABASE_URL names a database on {host}; the demo writes accounts with known"
            " passwords, and does so on this machine only"
        )


def main() -> int:
    """Run the demo; 0 when it was asked to stop, 1 when something failed, 2 when it cannot run."""
    parser = argparse.ArgumentParser(prog="python -m creditbank.services.launcher")
    parser.add_argument("what", choices=["demo"], help="what to launch")
    parser.parse_args()
    console = Console()
    try:
        demo = Demo(Options.read(), console)
    except ServiceError as error:
        console.line(f"错误 / error: {error}")
        return REFUSED
    return demo.run()


if __name__ == "__main__":
    sys.exit(main())
