"""Where results go: made and tried before anything long begins."""

import errno
import tempfile
from pathlib import Path

from lib.messages import UserError, message


def require_writable(folder: Path) -> None:
    """Make the folder where it is not there. Raises ValueError, with its name and why, when no file can be put there."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        why = message("a file is in its way") if error.errno in (errno.EEXIST, errno.ENOTDIR) else error.strerror
        raise UserError("Nothing can be written to the folder {folder} ({why}): name another.", folder, why) from None
