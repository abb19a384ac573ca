"""Samba comes up service by service; a port that takes connections is all that it tells."""
import os
import socket
import sys
import time

PATIENCE = 180  # seconds; a busy machine needs many of them


def wait_for(port, what):
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        os.kill(int(os.environ["SAMBA_PID"]), 0)  # it is still there
        try:
            socket.create_connection(("127.0.0.1", port), 5).close()
            return
        except OSError:
            time.sleep(0.1)
    sys.exit(f"check-samba: Samba opened no {what} within {PATIENCE} s")
