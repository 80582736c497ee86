# SPDX-License-Identifier: GPL-2.0-only
"""This machine: files and commands. With --root, a copy of another one's.

A copy is a folder with proc/, etc/, sys/ as they stood there, and the output of
commands in commands/, a file each named by the command's words joined by '_'
("nft_-j_list_ruleset").
"""

import glob
import os
import shutil
import subprocess

from . import UserError


class System:
    """What can be asked of a machine."""

    def __init__(self, root=None):
        if root and not os.path.isdir(root):
            raise UserError(f"--root: {root} is no folder")
        self.root = root

    def path(self, path):
        """Where a file of the machine is."""
        return self.root + path if self.root else path

    def read(self, path):
        """The text of a file, or None."""
        try:
            with open(self.path(path), encoding="latin-1") as handle:
                return handle.read()
        except OSError:
            return None

    def must_read(self, path, what):
        """The text of a file that has to be there, or one line that says why it is not."""
        try:
            with open(self.path(path), encoding="latin-1") as handle:
                return handle.read()
        except FileNotFoundError:
            raise UserError(f"{what} (there is no {path})") from None
        except PermissionError:
            raise UserError(f"{path}: only root may read it") from None
        except OSError as err:
            raise UserError(f"{path}: {err.strerror}") from None

    def exists(self, path):
        """Is there such a file?"""
        return os.path.exists(self.path(path))

    def glob(self, pattern):
        """Files by a pattern, as paths of the machine."""
        found = sorted(glob.glob(self.path(pattern)))
        return [path[len(self.root):] for path in found] if self.root else found

    def run(self, *words):
        """What a command prints, or None where it fails or is not there."""
        if self.root:
            return self.read("/commands/" + "_".join(words).replace("/", "_"))
        tool = shutil.which(words[0], path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
        if not tool:
            return None
        try:
            done = subprocess.run([tool, *words[1:]], capture_output=True, timeout=30, check=False)
        except (OSError, subprocess.TimeoutExpired):
            return None
        return done.stdout.decode("latin-1") if done.returncode == 0 else None
