# ComfyUI with PromptReel's nodes, for an NVIDIA GPU.
#   docker compose -f deploy/docker/compose.yaml up --build

FROM python:3.12-slim
ARG COMFYUI_VERSION=v0.3.75
ARG TORCH_INDEX=https://download.pytorch.org/whl/cu128
WORKDIR /comfyui
RUN apt-get update \
    && apt-get install -y --no-install-recommends git \
    && rm -rf /var/lib/apt/lists/* \
    && git clone --depth 1 --branch "${COMFYUI_VERSION}" \
        https://github.com/comfyanonymous/ComfyUI.git .
RUN pip install --no-cache-dir torch torchvision torchaudio --index-url "${TORCH_INDEX}" \
    && pip install --no-cache-dir -r requirements.txt
COPY custom_nodes/promptreel ./custom_nodes/promptreel
RUN pip install --no-cache-dir -r custom_nodes/promptreel/requirements.txt \
    && useradd --system --uid 10002 --no-create-home comfyui \
    && install -d -o comfyui -g comfyui models input output temp user
USER 10002
EXPOSE 8188
HEALTHCHECK --interval=30s --timeout=5s --start-period=120s --retries=3 \
    CMD ["python", "-c", "import urllib.request as u; u.build_opener(u.ProxyHandler({})).open('http://127.0.0.1:8188/system_stats', timeout=4)"]
CMD ["python", "main.py", "--listen", "0.0.0.0", "--port", "8188"]
