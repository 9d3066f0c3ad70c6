# The image of every process of a deployment: code server, webserver, daemon, and the runs. See docs/deployment.md.
#
#   docker build --tag genie-assets .
#
# Every RUN step of this file is run by genie_assets_tests/e2e/test_image.py, in a fresh folder.
ARG PYTHON=3.12

FROM python:${PYTHON}-slim-bookworm AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /opt/build
COPY setup.cfg pyproject.toml README.md LICENSE constraints.txt .env.example dagster.yaml workspace.yaml ./
COPY genie_assets genie_assets
COPY genie_sandbox genie_sandbox
COPY sql sql
RUN python -m venv /opt/genie
RUN /opt/genie/bin/python -m pip wheel --quiet --no-deps --wheel-dir dist .
# The report needs `sql`. The sandbox's extra is not among them: no Spark. ALSO are packages that a platform asks for.
ARG EXTRAS=ui,sql,postgres,kubernetes,alerts
ARG ALSO=
RUN /opt/genie/bin/python -m pip install --quiet --constraint constraints.txt \
    "$(ls dist/*.whl)[${EXTRAS}]" ${ALSO}
# dagster-databricks brings all of Spark, which production never starts: its thin client has the modules that are
# imported, and is half a gigabyte smaller.
RUN /opt/genie/bin/python -m pip uninstall --quiet --yes pyspark py4j \
    && /opt/genie/bin/python -m pip install --quiet --no-deps pyspark-client==4.2.0

FROM python:${PYTHON}-slim-bookworm
# A number and no name: Kubernetes can see that it is not root.
RUN install --directory --owner=10001 --group=10001 /opt/dagster /opt/dagster/home /opt/dagster/logs /opt/dagster/lakehouse
COPY --from=build /opt/genie /opt/genie
COPY deploy/dagster.yaml deploy/workspace.yaml /opt/dagster/home/
ENV PATH=/opt/genie/bin:$PATH \
    HOME=/opt/dagster \
    DAGSTER_HOME=/opt/dagster/home \
    DAGSTER_DISABLE_TELEMETRY=yes \
    PYTHONUNBUFFERED=1
WORKDIR /opt/dagster
USER 10001:10001
EXPOSE 4000
CMD ["dagster", "code-server", "start", "--host", "0.0.0.0", "--port", "4000", "--module-name", "genie_assets.definitions", "--location-name", "genie_assets"]
