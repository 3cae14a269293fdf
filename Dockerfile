# PKPO Lab in a container:  docker build -t pkpo-lab . && docker run --rm -p 8501:8501 pkpo-lab
# With a GPU:               docker build --build-arg TORCH=cu130 -t pkpo-lab:gpu .
#                           docker run --rm --gpus all -p 8501:8501 pkpo-lab:gpu
FROM python:3.12-slim

# Which build of torch: "cpu", or a CUDA version such as "cu130" (the base image needs no CUDA: the
# wheel brings its own, the host its driver).
ARG TORCH=cpu

ENV PYTHONUNBUFFERED=1 PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /lab

COPY requirements.txt requirements.lock ./
RUN pip install --extra-index-url "https://download.pytorch.org/whl/${TORCH}" \
    -r requirements.txt -c requirements.lock

COPY LICENSE README.md pyproject.toml ./
COPY .streamlit .streamlit
COPY pkpo pkpo
COPY toy_envs toy_envs
COPY app app
RUN pip install --no-deps --no-build-isolation --editable . && useradd --create-home lab && chown -R lab /lab \
    && install -d -o lab -g lab /data
USER lab

EXPOSE 8501
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s \
  CMD ["python", "-c", "from urllib.request import ProxyHandler, build_opener as b; b(ProxyHandler({})).open('http://127.0.0.1:8501/_stcore/health', timeout=4)"]
# Inside the container the app listens on every interface; -p decides who reaches it.
CMD ["python", "-m", "app", "--server.address=0.0.0.0"]
