# A file system on the folder named by the argument that takes every question and answers none, but what the folder itself is.
import ctypes, os, struct, sys

GETATTR, INIT, STATX = 3, 26, 52
NO_SUCH_CALL = 38
device = os.open("/dev/fuse", os.O_RDWR)
options = "fd=%d,rootmode=40000,user_id=0,group_id=0,allow_other" % device
if ctypes.CDLL(None, use_errno=True).mount(b"mute", sys.argv[1].encode(), b"fuse", 0, options.encode()) != 0:
    sys.exit(os.strerror(ctypes.get_errno()))
while True:
    request = os.read(device, 65536)
    _, operation, unique = struct.unpack_from("=IIQ", request)
    if operation == INIT:
        # Version 7.31, and nothing special.
        os.write(device, struct.pack("=IiQ", 80, 0, unique) + struct.pack("=IIIIHHIIHHI", 7, 31, 0, 0, 16, 12, 4096, 1, 0, 0, 0) + bytes(28))
    elif operation == GETATTR:
        folder = struct.pack("=6Q10I", 1, 0, 0, 0, 0, 0, 0, 0, 0, 0o40755, 2, 0, 0, 0, 4096, 0)
        os.write(device, struct.pack("=IiQ", 120, 0, unique) + struct.pack("=QII", 1 << 30, 0, 0) + folder)
    elif operation == STATX:
        os.write(device, struct.pack("=IiQ", 16, -NO_SUCH_CALL, unique))
