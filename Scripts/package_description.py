"""What Package.swift declares, as `swift package dump-package` tells it; for the scripts that check it."""
import json, subprocess, tempfile


def package_description():
    # A scratch folder of its own: a build that runs beside this holds the lock of the other.
    with tempfile.TemporaryDirectory() as scratch:
        return json.loads(subprocess.check_output(
            ["swift", "package", "--scratch-path", scratch, "dump-package"], stderr=subprocess.DEVNULL))
