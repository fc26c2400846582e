# docker build -t socl . ; docker run socl --help ; with a GPU: docker run --gpus all socl ...
# PyTorch as pip offers it for Linux runs on the CPU and on NVIDIA GPUs alike. Another build of it, such as a smaller one for
# the CPU alone: --build-arg TORCH_INDEX=URL, with an index that pytorch.org names.
FROM python:3.11-slim
ARG TORCH_INDEX=""
RUN apt-get update \
    && apt-get install -y --no-install-recommends libgl1 libglib2.0-0 libturbojpeg0 \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /opt/socl
RUN pip install --no-cache-dir "torch>=2.10" "torchvision>=0.25" ${TORCH_INDEX:+--index-url "${TORCH_INDEX}"}
COPY . .
RUN pip install --no-cache-dir ".[annotate,plots]" \
    && useradd --create-home user
USER user
WORKDIR /home/user
# What is written lies in /home/user/workspace: mount a volume there. The page of `socl annotate` needs --host 0.0.0.0 and -p.
ENTRYPOINT ["socl"]
CMD ["--help"]
