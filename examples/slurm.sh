#!/usr/bin/env bash
# A training on two nodes of four GPUs, and a benchmark behind it: sbatch examples/slurm.sh
#SBATCH --job-name=socl
#SBATCH --nodes=2
#SBATCH --ntasks-per-node=1
#SBATCH --gpus-per-node=4
#SBATCH --cpus-per-task=32
#SBATCH --time=24:00:00
#SBATCH --requeue
set -euo pipefail

: "${PYTRACKING_GOT10K_DIR:?is not set: the folder of GOT-10k}" "${PYTRACKING_WORKSPACE_DIR:?is not set: a shared folder}"
export PYTRACKING_GOT10K_DIR PYTRACKING_WORKSPACE_DIR
first="$(scontrol show hostnames "$SLURM_JOB_NODELIST" | head -n 1)"

# --resume: a job that is put back into the queue goes on from the newest epoch.
srun .venv/bin/torchrun --nnodes="$SLURM_NNODES" --nproc_per_node=4 --rdzv_backend=c10d --rdzv_id="$SLURM_JOB_ID" \
    --rdzv_endpoint="$first:29500" ltr/run_training.py socl socl_res18 --schedule paper --resume

.venv/bin/python pytracking/run_tracker.py siamfc socl_res18 --dataset otb --jobs 16
