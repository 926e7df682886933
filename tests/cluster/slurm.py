"""A real SLURM on this machine: a controller and two nodes, one of them with pretended GPUs. Needs root."""

import contextlib
import os
import re
import shutil
import stat
import subprocess
import time
from pathlib import Path

ETC = Path("/etc/slurm")
OURS = "# written by the tests of specialize"
PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "srun", "squeue", "scontrol")
# Nodes claim to be larger than they are, so that jobs ask for what they ask for on a cluster.
CONFIGURATION = """{ours}
ClusterName=specialize
SlurmctldHost=localhost
SlurmctldPort=17000
SlurmUser=root
SlurmdUser=root
SlurmdParameters=config_overrides
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
MpiDefault=none
ReturnToService=2
MinJobAge=3600
MaxJobCount=5000
SchedulerParameters=batch_sched_delay=0,sched_interval=1
StateSaveLocation={folder}/state
SlurmctldPidFile={folder}/controller.pid
SlurmctldLogFile={folder}/controller.log
SlurmdSpoolDir={folder}/%n
SlurmdPidFile={folder}/%n.pid
SlurmdLogFile={folder}/%n.log
GresTypes=gpu
NodeName=c1 NodeHostname=localhost NodeAddr=127.0.0.1 Port=17001 CPUs=16 RealMemory=128000
NodeName=g1 NodeHostname=localhost NodeAddr=127.0.0.1 Port=17002 CPUs=16 RealMemory=128000 Gres=gpu:2
PartitionName=cpu Nodes=c1 Default=YES State=UP
PartitionName=gpu Nodes=g1 State=UP
"""


def missing():
    """Why root cannot start a SLURM here; None if it can."""
    absent = [program for program in PROGRAMS if not shutil.which(program, path=os.environ["PATH"] + ":/usr/sbin")]
    if absent:
        return f"{', '.join(absent)}: not installed (Debian's packages slurm-wlm and munge)"
    configuration = ETC / "slurm.conf"
    if configuration.exists() and not configuration.read_text().startswith(OURS):
        return f"{configuration} belongs to another SLURM"
    if asked("pgrep", "slurmctld|slurmd", check=False):
        return (
            "a SLURM runs here already, perhaps left over from tests that were killed (pkill slurmd; pkill slurmctld)"
        )
    return None


@contextlib.contextmanager
def running(folder):
    """Start it; what it writes goes to the folder."""
    _start_munge()
    folder.mkdir(parents=True)
    for name in ("state", "c1", "g1"):
        (folder / name).mkdir()
    devices = [folder / f"gpu{number}" for number in range(2)]
    for device in devices:
        os.mknod(device, stat.S_IFCHR | 0o600, os.makedev(1, 3))
    ETC.mkdir(exist_ok=True)
    # Plugins take a path in SLURM_CONF out of a job's environment, so the configuration must lie where SLURM looks.
    (ETC / "slurm.conf").write_text(CONFIGURATION.format(ours=OURS, folder=folder))
    (ETC / "gres.conf").write_text(f"{OURS}\nNodeName=g1 Name=gpu File={folder}/gpu[0-1]\n")
    daemons = []
    try:
        for command in (["slurmctld", "-D"], ["slurmd", "-D", "-N", "c1"], ["slurmd", "-D", "-N", "g1"]):
            path = shutil.which(command[0], path=os.environ["PATH"] + ":/usr/sbin")
            daemons.append(subprocess.Popen([path, *command[1:]], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
            time.sleep(1)
        until(
            lambda: asked("sinfo", "-h", "-N", "-o", "%N %T").splitlines() == ["c1 idle", "g1 idle"], "nodes are idle"
        )
        yield
    finally:
        asked("scancel", "--user=root", "--full", "--signal=KILL", check=False)
        asked("scancel", "--user=root", check=False)
        for daemon in reversed(daemons):
            daemon.terminate()
            daemon.wait(timeout=60)
        (ETC / "slurm.conf").unlink()
        (ETC / "gres.conf").unlink()


def _start_munge():
    if asked("munge", "-n", check=False):
        return
    Path("/run/munge").mkdir(mode=0o755, exist_ok=True)
    shutil.chown("/run/munge", "munge", "munge")
    munged = shutil.which("munged", path=os.environ["PATH"] + ":/usr/sbin")
    subprocess.run([munged], user="munge", group="munge", extra_groups=[], check=True)
    until(lambda: asked("munge", "-n", check=False), "munge answers")


def asked(*command, check=True):
    """What a command prints."""
    return subprocess.run(command, check=check, capture_output=True, text=True).stdout


def until(condition, what, seconds=900):
    """Wait for it."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"not within {seconds} s: {what}"
        time.sleep(0.1)


def jobs():
    """All jobs that SLURM remembers: for each, what `scontrol` shows of it."""
    shown = asked("scontrol", "show", "job", "--oneliner").splitlines()
    return [dict(re.findall(r"(\S+?)=(\S*)", line)) for line in shown if line.startswith("JobId=")]
