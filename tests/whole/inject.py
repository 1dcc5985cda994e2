# Runs a program of which any system call can be made to fail: inject.py SOCKET LOG PROGRAM ARGUMENT...
#
# A filter of system calls (seccomp(2)) hands every call of the kinds below to a supervisor, which lets it go on; for the one
# that it was told to it answers with an error instead, or kills who asked. The filter is inherited, so the calls of a daemon,
# of the controllers that it starts and of the containers' side of them are one sequence, numbered as they come.
#
# The supervisor takes commands, each a connection to SOCKET with one line, and answers with one:
#     arm N ERROR    count anew; the Nth call fails with that errno. 0: none does
#     kill N         count anew; who makes the Nth call is killed instead
#     kill PID CALL  count anew; that process is killed when it is about to make a call of that name
#     tell           how many there were, and what the Nth was
import array, ctypes, errno, fcntl, os, platform, select, socket, struct, sys, threading

NUMBERS = dict(
    write=1, ioctl=16, dup=32, socket=41, connect=42, sendto=44, sendmsg=46,
    bind=49, listen=50, setsockopt=54, clone=56, execve=59,
    fcntl=72, chdir=80, fchdir=81, rename=82, mkdir=83, rmdir=84, unlink=87, symlink=88, chmod=90, chown=92, umask=95,
    setsid=112, setgroups=116, setresuid=117, setresgid=119, capset=126, personality=135, pivot_root=155, prctl=157,
    setrlimit=160, chroot=161, mount=165, umount2=166, sethostname=170, epoll_ctl=233, keyctl=250, openat=257, mkdirat=258,
    mknodat=259, fchownat=260, unlinkat=263, renameat=264, symlinkat=266, fchmodat=268, unshare=272, epoll_create1=291,
    dup3=292, pipe2=293, prlimit64=302, setns=308, seccomp=317, bpf=321, statx=332, pidfd_send_signal=424, open_tree=428,
    move_mount=429, fsopen=430, fsconfig=431, fsmount=432, pidfd_open=434, clone3=435, close_range=436, openat2=437,
    mount_setattr=442)
NAMES = {number: name for name, number in NUMBERS.items()}
# Which argument is a path, for those where one helps to understand.
PATHS = dict(
    execve=0, chdir=0, rename=0, mkdir=0, rmdir=0, unlink=0, symlink=1, chmod=0, chown=0, mount=1, umount2=0, openat=1,
    mkdirat=1, mknodat=1, fchownat=1, unlinkat=1, symlinkat=2, fchmodat=1, open_tree=1, fsopen=0, openat2=1, statx=1)
OURS = ("virtlxcd", "libvirt_lxc")

X86_64, SECCOMP, SET_FILTER, NEW_LISTENER, WAIT_KILLABLE = 0xC000003E, 317, 1, 8, 32
NOTIFY, ALLOW, CONTINUE = 0x7FC00000, 0x7FFF0000, 1
RECEIVE, SEND = 0xC0502100, 0xC0182101


def install():
    steps = [(0x20, 0, 0, 4), (0x15, 1, 0, X86_64), (0x06, 0, 0, ALLOW), (0x20, 0, 0, 0)]
    for number in NUMBERS.values():
        steps += [(0x15, 0, 1, number), (0x06, 0, 0, NOTIFY)]
    steps.append((0x06, 0, 0, ALLOW))
    code = b"".join(struct.pack("=HBBI", *step) for step in steps)
    buffer = ctypes.create_string_buffer(code)
    program = struct.pack("HxxxxxxQ", len(steps), ctypes.addressof(buffer))
    libc = ctypes.CDLL(None, use_errno=True)
    listener = libc.syscall(SECCOMP, SET_FILTER, NEW_LISTENER | WAIT_KILLABLE, program)
    if listener < 0:
        raise OSError(ctypes.get_errno(), "seccomp")
    return listener


class Supervisor:
    def __init__(self, listener):
        self.listener = listener
        self.count, self.wanted, self.answer, self.hit = 0, 0, errno.EIO, "nothing"
        self.victim = None

    def serve(self, commands):
        poll = select.poll()
        poll.register(self.listener, select.POLLIN)
        poll.register(commands, select.POLLIN)
        over = False
        while True:
            for ready, events in poll.poll():
                if ready == commands.fileno():
                    if self.command(commands) == "tell" and over:
                        return
                elif events & select.POLLIN:
                    self.call()
                else:
                    # All whose calls were looked at have ended. Somebody may want to know why.
                    poll.unregister(self.listener)
                    over = True

    def command(self, commands):
        connection, _ = commands.accept()
        with connection:
            words = connection.recv(100).decode().split()
            if words[0] in ("arm", "kill"):
                self.count, self.wanted, self.victim, self.hit = 0, int(words[1]), None, "nothing"
                self.answer = getattr(errno, words[2]) if words[0] == "arm" else None
                if words[0] == "kill" and len(words) > 2:
                    self.wanted, self.victim = 0, (int(words[1]), words[2])
            connection.sendall(f"{self.count} {self.hit}\n".encode())
            return words[0]

    def call(self):
        notice = bytearray(80)
        try:
            fcntl.ioctl(self.listener, RECEIVE, notice)
        except OSError:
            return  # The caller is gone.
        identity, pid, _, number, _, _, *arguments = struct.unpack("=QIIiIQ6Q", notice)
        name = NAMES.get(number, str(number))
        response = struct.pack("=QqiI", identity, 0, 0, CONTINUE)
        if self.counts(pid, name, arguments):
            self.count += 1
            if self.count == self.wanted or self.is_victim(pid, name):
                self.victim = None
                program = os.path.basename(program_of(pid))
                try:
                    process = thread_group(pid)
                    self.hit = f"{program} {process}: {name} {path_of(pid, name, arguments)}"
                    if self.answer is None:
                        os.kill(process, 9)
                        return
                except OSError:
                    # Killed by another while it waited for us.
                    self.hit = f"{program} that has gone: {name}"
                response = struct.pack("=QqiI", identity, 0, -self.answer, 0)
        try:
            fcntl.ioctl(self.listener, SEND, response)
        except OSError:
            pass

    def is_victim(self, pid, name):
        try:
            return self.victim is not None and self.victim == (thread_group(pid), name)
        except OSError:
            return False

    def counts(self, pid, name, arguments):
        if not os.path.basename(program_of(pid)).startswith(OURS):
            return False
        if name == "epoll_ctl" and arguments[1] != 1:
            return False
        if name == "sendmsg":
            # The daemon's are words to clients.
            return os.path.basename(program_of(pid)) != OURS[0]
        if name == "write":
            # Words to clients and threads are no step of a start.
            target = link(f"/proc/{pid}/fd/{arguments[0]}")
            return target.startswith(("/", "pipe:")) and not target.endswith(".log")
        return True


def link(path):
    try:
        return os.readlink(path)
    except OSError:
        return ""


def program_of(pid):
    return link(f"/proc/{pid}/exe")


def thread_group(pid):
    with open(f"/proc/{pid}/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("Tgid:"))


def path_of(pid, name, arguments):
    if name == "write":
        return link(f"/proc/{pid}/fd/{arguments[0]}")
    if name not in PATHS:
        return hex(arguments[1])
    try:
        with open(f"/proc/{pid}/mem", "rb") as memory:
            memory.seek(arguments[PATHS[name]])
            return memory.read(200).split(b"\0")[0].decode(errors="replace")
    except (OSError, ValueError):
        return "?"


def main():
    path, log, *command = sys.argv[1:]
    if platform.machine() != "x86_64":
        sys.exit("the numbers of system calls here are those of x86-64")
    ours, theirs = socket.socketpair()
    commands = socket.socket(socket.AF_UNIX)
    commands.bind(path)
    commands.listen()
    if os.fork():
        commands.close()
        theirs.close()
        # sendmsg(2) is among the calls that are waited for: a thread sends that is not filtered.
        there, listener = threading.Event(), None

        def send():
            there.wait()
            ours.sendmsg([b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [listener]))])

        sender = threading.Thread(target=send)
        sender.start()
        listener = install()
        there.set()
        sender.join()
        os.set_inheritable(listener, False)
        os.execv(command[0], command)
    ours.close()
    os.setsid()
    _, ancillary, _, _ = theirs.recvmsg(1, socket.CMSG_SPACE(4))
    listener = array.array("i", ancillary[0][2])[0]
    null, out = os.open("/dev/null", os.O_RDWR), os.open(log, os.O_WRONLY | os.O_CREAT, 0o600)
    os.dup2(null, 0), os.dup2(out, 1), os.dup2(out, 2)
    Supervisor(listener).serve(commands)


main()
