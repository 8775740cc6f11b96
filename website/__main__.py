"""`python -m website`: build the site in dist/docs/site, and look through it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from website.checks import faults
from website.staging import stage

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "dist/docs"


def build(folder: Path) -> Path:
    """Build the site below `folder`, and return where it is. Raises SystemExit where the builder
    says that something is wrong, such as a link to a page that is not there.
    """
    stage(ROOT, folder)
    done = subprocess.run(
        [sys.executable, "-m", "zensical", "build", "--strict", "--clean"], cwd=folder, check=False
    )
    if done.returncode:
        sys.exit(f"the site was not built: zensical ended with {done.returncode}; see above")
    return folder / "site"


def main() -> None:
    """Build it; end with the faults, if there are any."""
    site = build(FOLDER)
    if found := faults(site):
        sys.exit("\n".join([*found, f"{len(found)} faults in {site}"]))
    print(f"The documentation is in {site / 'index.html'}")


if __name__ == "__main__":
    main()
