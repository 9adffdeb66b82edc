"""A cluster of this machine alone: Slurm's commands, as far as submitit calls them."""

from pathlib import Path

SBATCH = """#!/bin/bash
# Starts each task of the array at once.
last=$(sed -n 's/^#SBATCH --array=0-\\([0-9]*\\)%.*/\\1/p' "$1")
export SLURM_PROCID=0 SLURM_LOCALID=0 SLURM_NODEID=0 SLURM_NTASKS=1 SLURM_JOB_NUM_NODES=1
export SLURM_JOB_NODELIST=localhost SLURM_ARRAY_JOB_ID=1000
for task in $(seq 0 "$last"); do
  SLURM_JOB_ID=$((1000 + task)) SLURM_ARRAY_TASK_ID=$task bash "$1" > /dev/null 2>&1 < /dev/null &
done
echo "Submitted batch job 1000"
"""

SRUN = """#!/bin/bash
while [ "${1:0:2}" = "--" ]; do
  if [ "$1" = "--unbuffered" ]; then shift; else shift 2; fi
done
exec "$@"
"""

SACCT = """#!/bin/bash
printf 'JobID|State|NodeList\\n1000_0|RUNNING|localhost\\n1000_1|RUNNING|localhost\\n'
"""


def install(folder: Path) -> Path:
    """Writes the commands into a folder, which belongs on the PATH."""
    folder.mkdir()
    for name, script in (("sbatch", SBATCH), ("srun", SRUN), ("sacct", SACCT)):
        (folder / name).write_text(script)
        (folder / name).chmod(0o755)
    return folder
