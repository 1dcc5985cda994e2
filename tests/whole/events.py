# Events as python3-libvirt tells them: one line each on standard output. Ends when the line `over` comes in, after all that
# was published before.
import sys

run_events()

LIFECYCLE = ["defined", "undefined", "started", "suspended", "resumed", "stopped", "shutdown", "pmsuspended", "crashed"]

def say(*words):
    print(*words, flush=True)

conn = libvirt.open("lxc:///")
E = libvirt
def lifecycle(prefix):
    return lambda c, dom, event, detail, opaque: say(prefix, dom.name(), LIFECYCLE[event], detail)
conn.domainEventRegisterAny(None, E.VIR_DOMAIN_EVENT_ID_LIFECYCLE, lifecycle("any"), None)
only = conn.lookupByName(sys.argv[1])
conn.domainEventRegisterAny(only, E.VIR_DOMAIN_EVENT_ID_LIFECYCLE, lifecycle("only"), None)
for name, show in [
    ("REBOOT", lambda *a: ()),
    ("METADATA_CHANGE", lambda kind, uri: (kind, uri)),
    ("DEVICE_ADDED", lambda alias: (alias,)),
    ("DEVICE_REMOVED", lambda alias: (alias,)),
    ("TUNABLE", lambda params: (sorted(params.items()),)),
    ("BALLOON_CHANGE", lambda actual: (actual,)),
]:
    def callback(c, dom, *rest, name=name, show=show):
        say(name, dom.name(), *show(*rest[:-1]))
    conn.domainEventRegisterAny(None, getattr(E, "VIR_DOMAIN_EVENT_ID_" + name), callback, None)
say("ready")
sys.stdin.readline()
