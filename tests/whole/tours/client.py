# A long tour with python3-libvirt: what its programs ask of a connection, a domain, a network, in the order of their lives.
import os, re, subprocess, sys
from time import time as now
import libvirt_lxc

libvirt.registerErrorHandler(lambda *_: None, None)
stopped = run_events()

def refused(code, call, *arguments):
    """The call fails with this code, and no other way."""
    try:
        answer = call(*arguments)
    except libvirt.libvirtError as error:
        assert error.get_error_code() == code, (call.__name__, error.get_error_code(), str(error))
        return str(error)
    raise AssertionError(f"{call.__name__} answers {answer!r}")

class Heard:
    """Events in the order in which they came; `wait` for one of them."""
    def __init__(self):
        self.all, self.changed = [], threading.Condition()
    def add(self, *event):
        with self.changed:
            self.all.append(event)
            self.changed.notify_all()
    def wait(self, *event):
        with self.changed:
            assert self.changed.wait_for(lambda: event in self.all, 120), (event, self.all)

conn = libvirt.open("lxc:///")
heard = Heard()

# The connection and the machine.
assert (conn.getType(), conn.getLibVersion(), conn.isSecure(), conn.isAlive()) == ("LXC", 9000000, 1, 1)
assert conn.getURI() == "lxc:///" and conn.getHostname() and "<capabilities>" in conn.getCapabilities()
assert conn.setKeepAlive(5, 3) == 0
model, memory, cpus, *_ = conn.getInfo()
assert memory > 0 and cpus >= 1
assert conn.getMemoryStats(-1)["total"] >= conn.getMemoryStats(-1)["free"] > 0
assert conn.getFreeMemory() > 0 and len(conn.getCellsFreeMemory(0, 8)) >= 1
assert set(conn.getCPUStats(-1)) == {"kernel", "user", "idle", "iowait"}
total, online, _ = conn.getCPUMap()
assert total >= len([one for one in online if one]) >= 1
refused(libvirt.VIR_ERR_INVALID_ARG, conn.getCPUStats, 100000)
assert conn.getFreePages([4], 0, 1, 0)
assert isinstance(conn.getMemoryParameters(), dict)
assert conn.getSecurityModel() == ["none", "0"]
assert conn.listAllStoragePools() == conn.listAllSecrets() == conn.listAllNWFilters() == []
assert (conn.numOfStoragePools(), conn.listStoragePools(), conn.numOfSecrets()) == (0, [], 0)
refused(libvirt.VIR_ERR_NO_STORAGE_POOL, conn.storagePoolLookupByName, "default")
refused(libvirt.VIR_ERR_NO_SECRET, conn.secretLookupByUUIDString, "11111111-2222-4333-8444-555555555555")
refused(libvirt.VIR_ERR_NO_NWFILTER, conn.nwfilterLookupByName, "clean-traffic")
refused(libvirt.VIR_ERR_NO_SUPPORT, conn.getMaxVcpus, "lxc")
pools = conn.storagePoolEventRegisterAny(None, libvirt.VIR_STORAGE_POOL_EVENT_ID_LIFECYCLE, lambda *_: None, None)
conn.storagePoolEventDeregisterAny(pools)
print("connection")

# Events of all domains and of one, and of networks.
conn.domainEventRegisterAny(None, libvirt.VIR_DOMAIN_EVENT_ID_LIFECYCLE,
                            lambda c, d, event, detail, o: heard.add("life", d.name(), event, detail), None)
conn.networkEventRegisterAny(None, libvirt.VIR_NETWORK_EVENT_ID_LIFECYCLE,
                             lambda c, n, event, detail, o: heard.add("network", n.name(), event), None)

# A network.
net = conn.networkDefineXML("""<network><name>tour</name><forward mode='nat'/><bridge name='virbr-tour'/>
<ip address='192.168.77.1' netmask='255.255.255.0'><dhcp><range start='192.168.77.10' end='192.168.77.99'/></dhcp></ip></network>""")
net.create()
net.setAutostart(1)
assert (net.isActive(), net.isPersistent(), net.autostart(), net.bridgeName()) == (1, 1, 1, "virbr-tour")
net.update(libvirt.VIR_NETWORK_UPDATE_COMMAND_ADD_LAST, libvirt.VIR_NETWORK_SECTION_IP_DHCP_HOST, -1,
           "<host mac='52:54:00:00:77:01' name='box' ip='192.168.77.20'/>", 3)
assert "192.168.77.20" in net.XMLDesc() and net.DHCPLeases() == [] and net.listAllPorts() == []
assert net.UUID() == conn.networkLookupByName("tour").UUID() and "tour" in [one.name() for one in conn.listAllNetworks()]
for event in (libvirt.VIR_NETWORK_EVENT_DEFINED, libvirt.VIR_NETWORK_EVENT_STARTED):
    heard.wait("network", "tour", event)
print("network")

# A definition.
dom = conn.defineXML(open(sys.argv[1]).read())
heard.wait("life", "box", libvirt.VIR_DOMAIN_EVENT_DEFINED, libvirt.VIR_DOMAIN_EVENT_DEFINED_ADDED)
meta = conn.domainEventRegisterAny(dom, libvirt.VIR_DOMAIN_EVENT_ID_METADATA_CHANGE,
                                   lambda c, d, kind, uri, o: heard.add("metadata", kind, uri), None)
assert (dom.ID(), dom.isActive(), dom.isPersistent(), dom.isUpdated(), dom.OSType()) == (-1, 0, 1, 0, "exe")
refused(libvirt.VIR_ERR_OPERATION_INVALID, dom.destroy)
refused(libvirt.VIR_ERR_OPERATION_INVALID, dom.memoryStats)
refused(libvirt.VIR_ERR_NO_DOMAIN, conn.lookupByName, "nobody")
assert [one.name() for one in conn.listAllDomains(libvirt.VIR_CONNECT_LIST_DOMAINS_INACTIVE)] == ["box"]
assert conn.listDefinedDomains() == ["box"] and conn.numOfDomains() == 0
dom.setAutostart(1)
assert dom.autostart() == 1
dom.setAutostart(0)
dom.setMetadata(libvirt.VIR_DOMAIN_METADATA_TITLE, "a box", None, None, libvirt.VIR_DOMAIN_AFFECT_CONFIG)
dom.setMetadata(libvirt.VIR_DOMAIN_METADATA_ELEMENT, "<owner who='me'/>", "o", "http://example.org/o",
                libvirt.VIR_DOMAIN_AFFECT_CONFIG)
heard.wait("metadata", libvirt.VIR_DOMAIN_METADATA_TITLE, None)
heard.wait("metadata", libvirt.VIR_DOMAIN_METADATA_ELEMENT, "http://example.org/o")
assert dom.metadata(libvirt.VIR_DOMAIN_METADATA_TITLE, None) == "a box"
assert "me" in dom.metadata(libvirt.VIR_DOMAIN_METADATA_ELEMENT, "http://example.org/o")
refused(libvirt.VIR_ERR_NO_DOMAIN_METADATA, dom.metadata, libvirt.VIR_DOMAIN_METADATA_DESCRIPTION, None)
print("definition")

# Running.
dom.create()
heard.wait("life", "box", libvirt.VIR_DOMAIN_EVENT_STARTED, libvirt.VIR_DOMAIN_EVENT_STARTED_BOOTED)
assert dom.state() == [libvirt.VIR_DOMAIN_RUNNING, libvirt.VIR_DOMAIN_RUNNING_BOOTED]
assert dom.ID() > 0 and conn.lookupByID(dom.ID()).name() == "box"
refused(libvirt.VIR_ERR_OPERATION_INVALID, dom.create)
state, maximum, used, vcpus, time = dom.info()
assert (state, vcpus) == (1, 1) and maximum >= used > 0
assert dom.memoryStats()["rss"] > 0 and dom.maxMemory() == maximum
assert dom.getCPUStats(True)[0]["cpu_time"] > 0
dom.setMemory(maximum // 2)
dom.setMemoryParameters({"hard_limit": 200000}, libvirt.VIR_DOMAIN_AFFECT_LIVE)
assert dom.memoryParameters(libvirt.VIR_DOMAIN_AFFECT_LIVE)["hard_limit"] == 200000
assert dom.schedulerType()[0] == "posix"
dom.setSchedulerParametersFlags({"cpu_shares": 512}, libvirt.VIR_DOMAIN_AFFECT_LIVE)
assert dom.schedulerParameters()["cpu_shares"] == 512
assert "weight" in dom.blkioParameters() and dom.hasManagedSaveImage() == 0
(known, stats), = conn.getAllDomainStats()
assert known.name() == "box" and stats["state.state"] == 1 and stats["cpu.time"] > 0 and stats["balloon.rss"] > 0
only = conn.domainListGetStats([dom], libvirt.VIR_DOMAIN_STATS_STATE)[0][1]
assert set(only) == {"state.state", "state.reason"}, only
assert conn.domainListGetStats([dom], libvirt.VIR_DOMAIN_STATS_PERF)[0][1] == {}
refused(libvirt.VIR_ERR_ARGUMENT_UNSUPPORTED, conn.domainListGetStats, [dom], libvirt.VIR_DOMAIN_STATS_PERF,
        libvirt.VIR_CONNECT_GET_ALL_DOMAINS_STATS_ENFORCE_STATS)
print("running")

# What containers cannot.
for call in (dom.snapshotNum, dom.listAllSnapshots, dom.listAllCheckpoints, dom.vcpus, dom.jobInfo, dom.controlInfo,
             dom.managedSave, dom.reset, dom.injectNMI):
    refused(libvirt.VIR_ERR_NO_SUPPORT, call)
refused(libvirt.VIR_ERR_NO_SUPPORT, dom.snapshotCreateXML, "<domainsnapshot/>")
refused(libvirt.VIR_ERR_NO_SUPPORT, dom.save, "/tmp/saved")
words = refused(libvirt.VIR_ERR_INVALID_ARG, dom.destroyFlags, 1 << 20)
assert words == "unsupported flags (0x100000) in function lxcDomainDestroyFlags", words
print("refused")
assert abs(dom.getTime()["seconds"] - now()) < 60

# Devices.
device = "<interface type='network'><mac address='52:54:00:00:77:01'/><source network='tour'/></interface>"
dom.attachDeviceFlags(device, libvirt.VIR_DOMAIN_AFFECT_LIVE | libvirt.VIR_DOMAIN_AFFECT_CONFIG)
assert "52:54:00:00:77:01" in dom.XMLDesc() and "52:54:00:00:77:01" in dom.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE)
assert len(net.listAllPorts()) == 1
name = dom.XMLDesc().split("<target dev='")[1].split("'")[0]
assert len(dom.interfaceStats(name)) == 8
stats = conn.domainListGetStats([dom], libvirt.VIR_DOMAIN_STATS_INTERFACE)[0][1]
assert (stats["net.count"], stats["net.0.name"]) == (1, name) and stats["net.0.rx.bytes"] >= 0
assert isinstance(dom.interfaceAddresses(libvirt.VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_LEASE), dict)
dom.detachDeviceFlags(device, libvirt.VIR_DOMAIN_AFFECT_LIVE | libvirt.VIR_DOMAIN_AFFECT_CONFIG)
assert "52:54:00:00:77:01" not in dom.XMLDesc() and net.listAllPorts() == []
refused(libvirt.VIR_ERR_DEVICE_MISSING, dom.detachDeviceFlags, device, libvirt.VIR_DOMAIN_AFFECT_LIVE)
refused(libvirt.VIR_ERR_XML_DETAIL, dom.attachDeviceFlags, "<nonsense", libvirt.VIR_DOMAIN_AFFECT_LIVE)
print("devices")

# Its namespaces, several threads on one connection, a stream that is not there.
links = [os.readlink(f"/proc/self/fd/{fd}") for fd in libvirt_lxc.lxcOpenNamespace(dom, 0)]
assert [link.split(":")[0] for link in links] == ["user", "ipc", "uts", "net", "pid", "mnt"], links
def work():
    for _ in range(3): conn.getHostname(), conn.listAllDomains()
threads = [threading.Thread(target=work) for _ in range(4)]
for one in threads: one.start()
for one in threads: one.join()
refused(libvirt.VIR_ERR_INTERNAL_ERROR, dom.openConsole, "nosuch", conn.newStream(0), 0)
print("inside")

# Descriptors that the container is to have.
document = re.sub("<init>.*</init>", "<init>/bin/sh</init><initarg>-c</initarg><initarg>echo inside &gt;&amp;3; sleep 1000</initarg>",
                  open(sys.argv[1]).read().replace("box</name>", "given</name>"))
read, write = os.pipe()
given = conn.createXMLWithFiles(document, [write], 0)
assert os.read(read, 100) == b"inside\n"
given.destroy()
given = conn.defineXML(document)
given.createWithFiles([write], 0)
assert os.read(read, 100) == b"inside\n" and given.isActive()
given.destroy()
given.undefine()
os.close(read), os.close(write)
print("descriptors")

# The end of it, and of another that ends with its client.
dom.suspend()
heard.wait("life", "box", libvirt.VIR_DOMAIN_EVENT_SUSPENDED, libvirt.VIR_DOMAIN_EVENT_SUSPENDED_PAUSED)
assert dom.state()[0] == libvirt.VIR_DOMAIN_PAUSED
dom.resume()
dom.sendProcessSignal(1, libvirt.VIR_DOMAIN_PROCESS_SIGNAL_WINCH)
dom.destroy()
heard.wait("life", "box", libvirt.VIR_DOMAIN_EVENT_STOPPED, libvirt.VIR_DOMAIN_EVENT_STOPPED_DESTROYED)
dom.rename("crate")
assert conn.lookupByUUID(dom.UUID()).name() == "crate"
other = libvirt.open("lxc:///")
lost = other.createXML(open(sys.argv[1]).read().replace("box</name>", "lost</name>"), libvirt.VIR_DOMAIN_START_AUTODESTROY)
assert lost.isPersistent() == 0
# A domain's handle keeps its connection open.
del lost
assert other.close() == 0
heard.wait("life", "lost", libvirt.VIR_DOMAIN_EVENT_STOPPED, libvirt.VIR_DOMAIN_EVENT_STOPPED_DESTROYED)
conn.domainEventDeregisterAny(meta)
conn.lookupByName("crate").undefine()
net.destroy()
net.undefine()
heard.wait("network", "tour", libvirt.VIR_NETWORK_EVENT_UNDEFINED)
order = [event for kind, name, event, *_ in heard.all if (kind, name) == ("life", "box")]
assert order == [0, 2, 3, 4, 5, 1], order  # The last: as it was renamed.
assert conn.listAllDomains() == []

# A reader.
reader = libvirt.openReadOnly("lxc:///")
assert reader.listAllDomains() == []
refused(libvirt.VIR_ERR_OPERATION_DENIED, reader.defineXML, "<domain/>")
reader.close()

# Other ways in, and a client that leaves without a word.
libvirt.openAuth("lxc:///", [[], lambda *_: 0, None], 0).close()
os.environ.pop("LIBVIRT_DEFAULT_URI", None)
assert libvirt.open(None).getURI() == "lxc:///system"
for uri in ("lxc:///bogus", "lxc:///session"):
    refused(libvirt.VIR_ERR_INTERNAL_ERROR, libvirt.open, uri)
# A program of its own: a fork of one with threads may find their locks taken.
leaver = "import libvirt, os; libvirt.open('lxc:///').getHostname(); os._exit(0)"
assert subprocess.run([sys.executable, "-c", leaver]).returncode == 0
stopped.set()
conn.close()
print("over")
