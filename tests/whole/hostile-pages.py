# A hostile reader of the container's view: many processes map its files and want their pages, some are stopped while they do, and
# what one has open another one inherits. Writes the file that its argument names when all that goes on.
import mmap, os, signal, sys, time

FILES = ["/proc/meminfo", "/proc/cpuinfo", "/proc/stat", "/proc/uptime", "/proc/loadavg", "/proc/swaps",
         "/sys/devices/system/cpu/online"]


def want_pages(path):
    while True:
        file = os.open(path, os.O_RDONLY)
        for kind in (mmap.MAP_PRIVATE, mmap.MAP_SHARED):
            try:
                pages = mmap.mmap(file, mmap.PAGESIZE, kind, mmap.PROT_READ)
            except OSError:
                continue  # What is read past the kernel's pages cannot be shared.
            pages[0]
        os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)
        os.pread(file, 1, 0)
        # Not closed each time: there is always one whose last reader is about to go.
        if file > 200:
            os.closerange(3, 200)


children = []
for path in FILES * 4:
    child = os.fork()
    if child == 0:
        try:
            want_pages(path)
        except OSError:
            pass
        os._exit(0)
    children.append(child)
time.sleep(0.2)
for child in children[::2]:
    os.kill(child, signal.SIGSTOP)
with open(sys.argv[1], "w") as up:
    up.write("up\n")
signal.pause()
