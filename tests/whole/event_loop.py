# What stands before each program that waits for libvirt's events.
import threading
import libvirt

def run_events():
    """The loop of events, on a thread of its own; it ends when what this gives back is set."""
    libvirt.virEventRegisterDefaultImpl()
    over = threading.Event()
    def run():
        while not over.is_set():
            libvirt.virEventRunDefaultImpl()
    threading.Thread(target=run, daemon=True).start()
    return over

