"""A SLURM of one node on loopback, in a temporary folder, for as long as a test needs it."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "srun", "squeue", "sinfo")
PATH = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/sbin"])


def why_not() -> str:
    """What keeps this machine from starting a SLURM, or nothing."""
    if missing := [name for name in PROGRAMS if not shutil.which(name, path=PATH)]:
        return f"SLURM is not installed ({', '.join(missing)} missing; Debian: slurm-wlm and munge)"
    return "" if os.geteuid() == 0 else "SLURM's daemons need root"


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def configure(folder: Path, cores: int) -> Path:
    host = socket.gethostname().split(".")[0]
    settings = {
        "ClusterName": "one",
        "SlurmctldHost": f"{host}(127.0.0.1)",
        "SlurmctldPort": free_port(),
        "SlurmdPort": free_port(),
        "AuthType": "auth/munge",
        "AuthInfo": f"socket={folder}/munge.socket,cred_expire=10",  # a requeued job waits so long
        "SlurmUser": "root",
        "StateSaveLocation": folder / "state",
        "SlurmdSpoolDir": folder / "spool",
        "SlurmctldPidFile": folder / "slurmctld.pid",
        "SlurmdPidFile": folder / "slurmd.pid",
        "SlurmctldLogFile": folder / "slurmctld.log",
        "SlurmdLogFile": folder / "slurmd.log",
        "ProctrackType": "proctrack/linuxproc",
        "TaskPlugin": "task/none",
        "JobAcctGatherType": "jobacct_gather/none",
        "AccountingStorageType": "accounting_storage/none",
        "SelectType": "select/cons_tres",
        "SelectTypeParameters": "CR_Core",
        "SlurmdParameters": "config_overrides",
        "SchedulerParameters": "sched_min_interval=100000",
        "ReturnToService": 2,
        "KillWait": 5,
        "MailProg": "/bin/true",
        "NodeName": f"{host} NodeAddr=127.0.0.1 CPUs={cores} State=UNKNOWN",
        "PartitionName": "main Nodes=ALL Default=YES MaxTime=INFINITE State=UP",
    }
    version = subprocess.run(["slurmd", "-V"], env=os.environ | {"PATH": PATH}, capture_output=True, text=True).stdout
    # no control groups are used; before 23.02 a plugin had to be named nevertheless, and this one starts without them
    plugin = "disabled" if version.split()[-1] >= "23.02" else "cgroup/v1"
    (folder / "cgroup.conf").write_text(f"CgroupPlugin={plugin}\n")
    conf = folder / "slurm.conf"
    conf.write_text("".join(f"{name}={value}\n" for name, value in settings.items()))
    return conf


@contextmanager
def one_node(folder: Path, cores: int = 4) -> Iterator[dict[str, str]]:
    """Start it in `folder` (a short path) and yield the environment in which its commands work."""
    for name in ("state", "spool"):
        (folder / name).mkdir()
    key = folder / "munge.key"
    key.write_bytes(os.urandom(128))
    key.chmod(0o600)
    environment = {"PATH": PATH, "SLURM_CONF": str(configure(folder, cores))}
    files = {name: folder / f"munge.{name}" for name in ("socket", "log", "pid", "seed")}
    munged = ["munged", "--foreground", "--force", "--num-threads=1", f"--key-file={key}"]
    munged += [f"--{name}{'-file' if name != 'socket' else ''}={file}" for name, file in files.items()]
    daemons = []
    try:
        for command in (munged, ["slurmctld", "-D"], ["slurmd", "-D"]):
            with (folder / f"{command[0]}.out").open("w") as out:
                daemons.append(subprocess.Popen(command, env=os.environ | environment, stdout=out, stderr=out))
            while command is munged and not files["socket"].exists():
                assert daemons[0].poll() is None, (folder / "munged.out").read_text()
                time.sleep(0.05)
        _wait_until_idle(environment, folder)
        yield environment
    finally:
        for daemon in reversed(daemons):
            daemon.terminate()
        for daemon in daemons:
            try:
                daemon.wait(10)
            except subprocess.TimeoutExpired:
                daemon.kill()


def _wait_until_idle(environment: dict[str, str], folder: Path) -> None:
    for _ in range(120):
        state = subprocess.run(
            ["sinfo", "--noheader", "--format=%T"], env=os.environ | environment, capture_output=True, text=True
        )
        if state.stdout.strip() == "idle":
            return
        time.sleep(0.5)
    logs = "\n".join(
        path.read_text(errors="replace")[-2000:] for path in [*folder.glob("*.out"), *folder.glob("*.log")]
    )
    raise RuntimeError(f"SLURM did not start: {state.stdout}{state.stderr}\n{logs}")
