# `--output json` on every command of our virsh that lists or asks: one JSON value, or one a line, and nothing else.
# Arguments: our virsh, and a domain that runs. Every command that `virsh help` names is either asked here or left out below.
import json, subprocess, sys

VIRSH, BOX = sys.argv[1], sys.argv[2]

ASKED = """
blkiotune BOX | memtune BOX | schedinfo BOX | cpu-stats BOX | cpu-stats BOX --total
capabilities | freecell | freecell --all | freepages --all | hostname | node-memory-tune | nodecpumap | nodecpustats
nodeinfo | nodememstats | uri | version | version --daemon | domcapabilities | maxvcpus
list | list --all | list --all --name | list --all --uuid | list --all --title | dominfo BOX | domstate BOX
domstate BOX --reason | domid BOX | domname ID | domuuid BOX | dumpxml BOX | dumpxml BOX --xpath //memory | desc BOX
metadata BOX http://example.org/m | domblklist BOX | domblklist BOX --details | domblkstat BOX | domifaddr BOX
domiflist BOX | domifstat BOX VNET | domif-getlink BOX VNET | dommemstat BOX | domstats | domstats BOX | ttyconsole BOX
domxml-to-native lxc-tools BOX | event --list | domtime BOX
net-list | net-list --all --name | net-info default | net-dumpxml default | net-name UUID | net-uuid default
net-dhcp-leases default | net-port-list default | net-event --list
iface-list --all | iface-dumpxml lo | iface-mac lo | iface-name 00:00:00:00:00:00
nodedev-list | nodedev-list --tree | nodedev-list --cap net,pci | nodedev-dumpxml computer
nodedev-info net_lo_00_00_00_00_00_00 | pool-list --all | pool-list --details | pool-event --list | secret-list | secret-event --list | nodedev-event --list
nwfilter-list | nwfilter-binding-list
"""
# Refused by a daemon of containers; they fail in words, and print nothing.
REFUSED = """
numatune BOX | vcpucount BOX --maximum | sysinfo | cpu-models x86_64 | nodesevinfo | vcpuinfo BOX | vcpupin BOX | emulatorpin BOX | guestvcpus BOX
iothreadinfo BOX | blkdeviotune BOX sda | blockjob BOX sda | domiftune BOX VNET
get-user-sshkeys BOX root | managedsave-dumpxml BOX | domjobinfo BOX | domlaunchsecinfo BOX | migrate-getspeed BOX
migrate-getmaxdowntime BOX | migrate-compcache BOX | perf BOX | domblkinfo BOX sda | domblkerror BOX
domcontrol BOX | domdisplay BOX | vncdisplay BOX | checkpoint-list BOX | checkpoint-dumpxml BOX c | checkpoint-info BOX c
checkpoint-parent BOX c | nwfilter-dumpxml x | nwfilter-binding-dumpxml x | nodedev-dumpxml x
nodedev-info x | secret-dumpxml 11111111-2222-4333-8444-555555555555
secret-get-value 11111111-2222-4333-8444-555555555555 | snapshot-list BOX | snapshot-current BOX | snapshot-dumpxml BOX s
snapshot-info BOX s | snapshot-parent BOX s | backup-dumpxml BOX | pool-dumpxml x | pool-info x | pool-name x | pool-uuid x
pool-capabilities | vol-dumpxml x | vol-info x | vol-key x | vol-list x | vol-name x | vol-path x | vol-pool x
find-storage-pool-sources-as dir | net-port-dumpxml default 11111111-2222-4333-8444-555555555555
save-image-dumpxml x | cpu-baseline x | cpu-compare x | hypervisor-cpu-baseline x | hypervisor-cpu-compare x
"""
# They change something, need a terminal, or wait; what they print is a message.
LEFT_OUT = """
autostart create define destroy domrename reboot reset resume shutdown start suspend undefine domxml-from-native edit console
lxc-enter-namespace send-process-signal attach-device attach-disk attach-interface change-media detach-device
detach-device-alias detach-disk detach-interface domif-setlink update-device setmaxmem setmem setvcpus setvcpu iothreadpin
iothreadadd iothreadset iothreaddel blockcommit blockcopy blockpull blockresize domblkthreshold domfsfreeze domfsthaw
domfstrim guest-agent-timeout set-user-sshkeys set-user-password qemu-agent-command qemu-attach qemu-monitor-command
qemu-monitor-event dump managedsave managedsave-remove managedsave-edit managedsave-define restore save save-image-define
save-image-edit screenshot dom-fd-associate domdirtyrate-calc domjobabort domsetlaunchsecstate dompmsuspend dompmwakeup
inject-nmi migrate migrate-setmaxdowntime migrate-setspeed migrate-postcopy send-key set-lifecycle-action
update-memory-device event allocpages nodesuspend checkpoint-create checkpoint-create-as checkpoint-delete checkpoint-edit
iface-begin iface-bridge iface-commit iface-define iface-destroy iface-edit iface-rollback iface-start iface-unbridge
iface-undefine nwfilter-define nwfilter-edit nwfilter-undefine nwfilter-binding-create nwfilter-binding-delete net-autostart
net-create net-define net-destroy net-edit net-start net-undefine net-update net-port-create net-port-delete net-event
nodedev-create nodedev-destroy nodedev-detach nodedev-reattach nodedev-reset nodedev-event nodedev-define nodedev-undefine
nodedev-start nodedev-autostart secret-define secret-event secret-set-value secret-undefine snapshot-create
snapshot-create-as snapshot-delete snapshot-edit snapshot-revert backup-begin find-storage-pool-sources pool-autostart
pool-build pool-create-as pool-create pool-define-as pool-define pool-delete pool-destroy pool-edit pool-refresh pool-start
pool-undefine pool-event vol-clone vol-create-as vol-create vol-create-from vol-delete vol-download vol-resize vol-upload
vol-wipe cd complete connect echo exit help pwd quit cp exec domhostname domfsinfo guestinfo
"""

def run(words): return subprocess.run([VIRSH, *words], capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=60)
def commands(text): return [one.split() for line in text.splitlines() for one in line.split("|") if one.split()]

document = json.loads(run(["dumpxml", BOX, "--output", "json"]).stdout)["xml"]
names = {"BOX": BOX, "VNET": document.split("<target dev='")[1].split("'")[0],
         "ID": json.loads(run(["domid", BOX, "--output", "json"]).stdout)["id"],
         "UUID": json.loads(run(["net-uuid", "default", "--output", "json"]).stdout)["uuid"]}

wrong = []
def check(words, refused):
    words = [str(names.get(word, word)) for word in words]
    # The option of the command, and the one of the program.
    for asked in ([*words, "--output", "json"], ["--output", "json", *words]):
        said = run(asked)
        if refused:
            if said.returncode == 0 or said.stdout or not said.stderr.startswith("error: "):
                wrong.append(f"{' '.join(asked)}: {said.returncode} {said.stdout!r} {said.stderr!r}")
            continue
        if said.returncode or said.stderr:
            wrong.append(f"{' '.join(asked)}: {said.returncode} {said.stdout!r} {said.stderr!r}")
            continue
        try:
            values = [json.loads(said.stdout)]
        except ValueError:
            try: values = [json.loads(line) for line in said.stdout.splitlines()]
            except ValueError: values = []
        if not values or not all(isinstance(value, (dict, list)) for value in values):
            wrong.append(f"{' '.join(asked)}: not JSON: {said.stdout!r}")

asked, refused = commands(ASKED), commands(REFUSED)
for words in asked: check(words, False)
for words in refused: check(words, True)
known = {line.split()[0] for line in run(["help"]).stdout.splitlines() if line.startswith("    ")}
sorted_in = {words[0] for words in asked + refused} | set(LEFT_OUT.split())
for name in sorted(known - sorted_in): wrong.append(f"{name}: neither asked nor left out")
print("\n".join(wrong + [f"{len(asked)} questions answered, {len(refused)} refused, {len(wrong)} wrong"]))
sys.exit(bool(wrong))
