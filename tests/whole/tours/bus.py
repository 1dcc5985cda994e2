# A tour with libvirt-dbus: argument 1 is the program, argument 2 a definition. Run below dbus-run-session, whose bus stands
# for the system's, since the service offers containers on that one only.
import os, subprocess, sys
from gi.repository import Gio, GLib

os.environ["DBUS_SYSTEM_BUS_ADDRESS"] = os.environ["DBUS_SESSION_BUS_ADDRESS"]
LXC, CONNECT, DOMAIN, NETWORK = "/org/libvirt/LXC", "org.libvirt.Connect", "org.libvirt.Domain", "org.libvirt.Network"
bus = Gio.bus_get_sync(Gio.BusType.SESSION)
loop = GLib.MainLoop()
GLib.timeout_add_seconds(200, lambda: sys.exit("nothing more has happened for 200 s"))

def until(true):
    context = loop.get_context()
    while not true(): context.iteration(True)

present = []
Gio.bus_watch_name_on_connection(bus, "org.libvirt", Gio.BusNameWatcherFlags.NONE, lambda *_: present.append(1), None)
service = subprocess.Popen([sys.argv[1], "--system"])
until(lambda: present)

def call(path, interface, method, signature="()", *values):
    answer = bus.call_sync("org.libvirt", path, interface, method, GLib.Variant(signature, values), None, 0, 120000, None)
    answer = answer.unpack()
    return answer[0] if len(answer) == 1 else answer

def properties(path, interface):
    return call(path, "org.freedesktop.DBus.Properties", "GetAll", "(s)", interface)

events = []
bus.signal_subscribe("org.libvirt", CONNECT, "DomainEvent", LXC, None, Gio.DBusSignalFlags.NONE,
                     lambda *said: events.append(said[5].unpack()[1]))

known = properties(LXC, CONNECT)
assert known["LibVersion"] == 9000000 and known["Hostname"], known
assert "<capabilities>" in call(LXC, CONNECT, "GetCapabilities")
assert call(LXC, CONNECT, "NodeGetMemoryStats", "(iu)", -1, 0)["total"] > 0
assert "idle" in call(LXC, CONNECT, "NodeGetCPUStats", "(iu)", -1, 0)
for nothing in ("ListStoragePools", "ListSecrets", "ListNWFilters", "ListDomains"):
    assert call(LXC, CONNECT, nothing, "(u)", 0) == [], nothing
(network,) = call(LXC, CONNECT, "ListNetworks", "(u)", 0)
assert "virbr0" in call(network, NETWORK, "GetXMLDesc", "(u)", 0) and properties(network, NETWORK)["Active"]
print("connection")

domain = call(LXC, CONNECT, "DomainDefineXML", "(s)", open(sys.argv[2]).read())
assert call(LXC, CONNECT, "DomainLookupByName", "(s)", "box") == domain
call(domain, DOMAIN, "Create", "(u)", 0)
said = properties(domain, DOMAIN)
assert (said["Name"], said["Active"], said["Persistent"], said["OSType"]) == ("box", True, True, "exe") and said["Id"] > 0
assert call(domain, DOMAIN, "GetState", "(u)", 0)[0] == 1
assert call(domain, DOMAIN, "MemoryStats", "(u)", 0)
assert call(domain, DOMAIN, "GetStats", "(uu)", 0, 0)["cpu.time"] > 0
((name, stats),) = call(LXC, CONNECT, "GetAllDomainStats", "(uu)", 0, 0)
assert name == "box" and stats["state.state"] == 1
print("running")

for method, signature, values in (("Suspend", "()", ()), ("Resume", "()", ()), ("Destroy", "(u)", (0,)), ("Undefine", "(u)", (0,))):
    call(domain, DOMAIN, method, signature, *values)
until(lambda: len(events) >= 6)
assert events == [0, 2, 3, 4, 5, 1], events
try:
    call(LXC, CONNECT, "DomainLookupByName", "(s)", "box")
except GLib.Error as error:
    assert "Domain not found" in error.message, error
else:
    sys.exit("the domain is still there")
service.terminate()
service.wait()
print("over")
