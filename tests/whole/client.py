# The documented calls of python3-libvirt, in the order of a container's life; each line is checked by the test.
import sys

# Opened before there is a loop of events: where another thread runs that, libvirt's client now and then misses the wake-up of a
# call that waits for a stream.
plain = libvirt.open("lxc:///")
stopped = run_events()

conn = libvirt.open("lxc:///")
assert conn.getType() == "LXC"
seen, done = [], threading.Event()
def event(conn, dom, event, detail, opaque):
    seen.append(event)
    if event == libvirt.VIR_DOMAIN_EVENT_STOPPED:
        done.set()

dom = conn.defineXML(open(sys.argv[1]).read())
print("defined", dom.name())
conn.domainEventRegisterAny(dom, libvirt.VIR_DOMAIN_EVENT_ID_LIFECYCLE, event, None)
dom.create()
print("started", dom.isActive())
state, reason = dom.state()
print("state", state, reason)
assert [d.name() for d in conn.listAllDomains(libvirt.VIR_CONNECT_LIST_DOMAINS_ACTIVE)] == [dom.name()]
assert dom.ID() > 0 and dom.UUIDString() in dom.XMLDesc()
assert dom.info()[0] == libvirt.VIR_DOMAIN_RUNNING

stream = plain.newStream()
plain.lookupByName(dom.name()).openConsole(None, stream)
text = b""
while b"# " not in text:
    text += stream.recv(1024)
stream.send(b"ps -ef; echo over-$((1+1))\n")
text = b""
while b"\nover-2" not in text:
    text += stream.recv(1024)
stream.abort()
lines = text.replace(b"\r", b"").split(b"\n")
header = next(at for at, line in enumerate(lines) if b"PID" in line)
processes = [line for line in lines[header + 1:lines.index(b"over-2")]]
assert 1 <= len(processes) <= 4 and any(b"ps" in line for line in processes), text
print("ps of the container alone")

dom.suspend()
dom.resume()
dom.destroy()
assert done.wait(120)
print("events", *[e for e in seen if e in (2, 4, 5)])
print("stopped", dom.state()[0])
dom.undefine()
print("undefined")
stopped.set()
conn.close()
plain.close()
