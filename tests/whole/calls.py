# Every call of the protocol, sent by hand to the daemon on lxc:///, and its answer held against the recorded one.
#
#     calls.py FILE                    compare; each answer that differs is printed, status 1 if there is one
#     calls.py FILE --record           print the file again with the answers of the daemon that runs
#
# FILE has a line for each call: its number, name, error domain, public function, and the arguments it is sent with.
# Indented below are the answers, each with how it was asked: `off` and `on` of a domain that does not run and of one that
# does, `rw` where no domain is named, `ro` on a read-only connection, `flags` with a flag that nobody knows, `early`
# before the connection is open. An answer is `ok`, `none` (not supported by the driver), `refused` (to readers), `early`
# (no connection is open), or code/domain and message, with the error's other fields in braces where they do not follow
# from the message. A line with `@` gives the reason why our daemon answers otherwise than the one above it, and how.
import os, re, socket, struct, sys, time

DIRECT, LEGACY = "/run/libvirt/virtlxcd-sock", "/run/libvirt/libvirt-sock"
REMOTE, LXC, QEMU = 0x20008086, 0x00068000, 0x20008087
OFF, ON, NETWORK, PORT, NEW = (bytes([n] * 16) for n in (0x11, 0x22, 0x33, 0x44, 0x55))
UNKNOWN_FLAG = 1 << 27
PATIENCE = 60

def domain_document(name, uuid):
    return f"""<domain type='lxc'><name>{name}</name><uuid>{uuid.hex()}</uuid><memory>262144</memory>
<os><type>exe</type><init>/init</init></os><devices>
<filesystem><source dir='/opt/calls'/><target dir='/'/></filesystem><console type='pty'/></devices></domain>"""

NETWORK_DOCUMENT = f"""<network><name>calls</name><uuid>{NETWORK.hex()}</uuid><bridge name='virbr-calls'/>
<ip address='192.168.200.1' netmask='255.255.255.0'/></network>"""
DOCUMENTS = {
    "domain": domain_document("off", OFF),
    "new": domain_document("new", NEW),
    "device": "<interface type='network'><mac address='52:54:00:11:22:33'/><source network='calls'/></interface>",
    "network": NETWORK_DOCUMENT,
    "newnet": f"<network><name>new</name><uuid>{NEW.hex()}</uuid><bridge name='virbr-new'/></network>",
    "host": "<host mac='52:54:00:00:00:01' ip='192.168.200.9'/>",
}

def number(value): return struct.pack(">i", value)
def string(text):
    text = text.encode()
    return struct.pack(">I", len(text)) + text + bytes(-len(text) % 4)

def payload(layout, domain, flags):
    out = b""
    for token in layout:
        kind, _, rest = token.partition(":")
        if token == "dom":
            name, uuid, ident = domain
            out += string(name) + uuid + number(ident)
        elif token == "net": out += string("calls") + NETWORK
        elif token == "uuid": out += PORT
        elif token == "domuuid": out += domain[1]
        elif token == "F": out += struct.pack(">I", flags)
        elif token == "FF": out += struct.pack(">Q", flags)
        elif token == "-": out += number(0)
        elif kind == "s": out += string(rest)
        elif kind == "+s": out += number(1) + string(rest)
        elif kind == "doc": out += string(DOCUMENTS[rest])
        elif kind == "l": out += struct.pack(">q", int(rest))
        else: out += number(int(token))
    return out

class Connection:
    def __init__(self, path, opened=True, read_only=False):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(PATIENCE)
        self.socket.connect(path)
        self.serial = 0
        opening = [(66, b""), (1, number(1) + string("lxc:///") + number(int(read_only)))]
        for procedure, arguments in opening[:2 if opened else 1]:
            answer = self.call(REMOTE, procedure, arguments)
            assert answer[0] == 0, answer

    def read(self, count):
        data = b""
        while len(data) < count:
            part = self.socket.recv(count - len(data))
            if not part: raise EOFError
            data += part
        return data

    def call(self, program, procedure, arguments):
        self.serial += 1
        header = struct.pack(">IIiIII", program, 1, procedure, 0, self.serial, 0)
        self.socket.sendall(struct.pack(">I", len(header) + len(arguments) + 4) + header + arguments)
        while True:
            length, = struct.unpack(">I", self.read(4))
            message = self.read(length - 4)
            _, _, proc, kind, serial, status = struct.unpack(">IIiIII", message[:24])
            if kind in (1, 5) and serial == self.serial and proc == procedure:
                # Descriptors follow, each with a byte of its own.
                if kind == 5: self.descriptors(struct.unpack(">I", message[24:28])[0])
                return status, message[24:]

    def descriptors(self, count):
        for _ in range(count):
            _, found, _, _ = socket.recv_fds(self.socket, 1, 1)
            for descriptor in found: os.close(descriptor)

def fields(data):
    """The parts of an error, as the protocol has them in a row."""
    at = 0
    def word():
        nonlocal at
        at += 4
        return struct.unpack(">i", data[at - 4:at])[0]
    def optional():
        nonlocal at
        if not word(): return None
        length = word()
        text = data[at:at + length].decode()
        at += length + -length % 4
        return text
    code, domain, message, level = word(), word(), optional(), word()
    assert word() == 0, "an error names a domain"
    str1, str2, str3, int1, int2 = optional(), optional(), optional(), word(), word()
    return code, domain, message, level, str1, str2, str3, int1, int2

def words(call, answer):
    """The answer as the file has it."""
    if answer is None: return "closed"
    status, data = answer
    if status == 0: return "ok"
    code, domain, message, level, str1, str2, str3, int1, int2 = fields(data)
    if level != 2: message += f" [level {level}]"
    follows = (int1, int2) == (-1, -1) and str1 is not None and str1.replace("%s", str2 or "") == message
    message = re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "UUID", message).replace("\n", "\\n")
    if follows:
        if (code, domain) == (3, call.domain) and str2 == call.function: return "none"
        if (code, domain, str2) == (29, call.domain, f"read only access prevents {call.function}"): return "refused"
        if (code, domain, message) == (1, 7, f"internal error: {call.unopened()}"): return "early"
        return f"{code}/{domain} {message}"
    others = "; ".join("" if part is None else str(part) for part in (str1, str2, int1, int2))
    return f"{code}/{domain} {message} {{{others}}}"

class Call:
    def __init__(self, line):
        number, self.name, domain, self.function, *self.layout = line.split()
        self.number, self.domain, self.answers, self.ours = int(number), int(domain), {}, {}
        self.program = {"LXC": LXC, "QEMU": QEMU}.get(self.name.partition(":")[0], REMOTE)

    def unopened(self):
        """What a driver beside the containers' says before the connection is open, and what all others say."""
        beside = self.domain in (18, 19, 22, 26, 30, 33) and not re.search("Dettach|ReAttach|Reset|DetachFlags", self.function)
        return "connection not open" if beside else "hypervisor connection not open"

    def line(self):
        return " ".join([str(self.number), self.name, str(self.domain), self.function, *self.layout])

    def ways(self):
        states = ["off", "on"] if "dom" in self.layout or "domuuid" in self.layout else ["rw"]
        return states + ["ro"] + (["flags"] if {"F", "FF"} & set(self.layout) else []) + ["early"]

def parse(text):
    calls = []
    for line in text.splitlines():
        if line.startswith("  @"):
            ways, reason, answer = re.match(r"  @ ([a-z,]+) (.*) => (.*)", line).groups()
            for way in ways.split(","): calls[-1].ours[way] = (reason, answer)
        elif line.startswith("  "):
            for way in line.split(None, 1)[0].split(","): calls[-1].answers[way] = line.split(None, 1)[1]
        elif line and not line.startswith("#"):
            calls.append(Call(line))
    return calls

class Tester:
    def __init__(self, path):
        self.path = path
        self.main = Connection(path)

    def prepare(self, state):
        """The domain and the network as every call is to find them."""
        def ask(procedure, arguments): return self.main.call(REMOTE, procedure, arguments)
        def domain(name, uuid): return string(name) + uuid + number(-1)
        network = string("calls") + NETWORK
        ask(41, string(NETWORK_DOCUMENT))
        ask(39, network)
        # What the call before may have left.
        for name, uuid in (("new", NEW), ("other", OFF)):
            if ask(23, string(name))[0] == 0:
                ask(12, domain(name, uuid))
                ask(35, domain(name, uuid))
        if ask(46, string("new"))[0] == 0:
            ask(42, string("new") + NEW)
            ask(49, string("new") + NEW)
        for name, uuid in (("off", OFF), ("on", ON)):
            ask(11, string(domain_document(name, uuid)))
        ask(12, domain("off", OFF))
        if state != "on": return ("off", OFF, -1)
        ask(28, domain("on", ON))
        ask(9, domain("on", ON))
        status, data = ask(24, ON)
        assert status == 0, fields(data)
        ident, = struct.unpack(">i", data[-4:])
        assert ident > 0, "the domain does not run"
        # The daemon learns of the container's init after the start: only then can all be asked.
        while self.main.call(LXC, 1, domain("on", ON) + number(0))[0] != 0: time.sleep(0.02)
        return ("on", ON, ident)

    def ask(self, call, way):
        domain = self.prepare(way)
        connection = Connection(self.path, way != "early", way == "ro")
        arguments = payload(call.layout, domain, UNKNOWN_FLAG if way == "flags" else 0)
        try: return words(call, connection.call(call.program, call.number, arguments))
        except (EOFError, ConnectionResetError): return "closed"

HEAD = open(sys.argv[1]).read().split("\n\n")[0] if len(sys.argv) > 2 else ""
def main():
    ours = os.path.exists(DIRECT)
    path = DIRECT if ours else LEGACY
    calls, tester = parse(open(sys.argv[1]).read()), Tester(path)
    if "--record" in sys.argv:
        print(HEAD)
        for call in calls:
            print(call.line())
            by_answer = {}
            for way in call.ways():
                by_answer.setdefault(tester.ask(call, way), []).append(way)
            for answer, ways in by_answer.items():
                if (answer, ways) != ("early", ["early"]): print(f"  {','.join(ways)} {answer}", flush=True)
            marks = {}
            for way, mark in call.ours.items(): marks.setdefault(mark, []).append(way)
            for (reason, answer), ways in marks.items(): print(f"  @ {','.join(ways)} {reason} => {answer}")
        return 0
    total = differing = 0
    for call in calls:
        for way in call.ways():
            expected, answer = call.answers.get(way, "early"), tester.ask(call, way)
            total += 1
            if ours and way in call.ours:
                if answer == expected: print(f"{call.name} {way}: as recorded, though it is marked")
                expected = call.ours[way][1]
            if expected != "any" and answer != expected:
                differing += 1
                print(f"{call.name} {way}: {answer}\n    expected: {expected}")
    print(f"{total} answers to {len(calls)} calls, {differing} other than recorded")
    return int(differing > 0)

sys.exit(main())
