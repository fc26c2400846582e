# CPU by default: docker build -t socl .
# GPU: docker build --build-arg TORCH_INDEX=https://download.pytorch.org/whl/cu128 -t socl:cuda . ; docker run --gpus all ...
FROM python:3.11-slim
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu
RUN apt-get update \
    && apt-get install -y --no-install-recommends libgl1 libglib2.0-0 libturbojpeg0 \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /opt/socl
RUN pip install --no-cache-dir "torch>=2.10" "torchvision>=0.25" --index-url "${TORCH_INDEX}"
COPY . .
RUN pip install --no-cache-dir ".[annotate,plots]"
RUN useradd --create-home user
USER user
WORKDIR /home/user
# What is written lies in /home/user/workspace: mount a volume there. The page of `socl annotate` needs --host 0.0.0.0 and -p.
ENTRYPOINT ["socl"]
CMD ["--help"]
