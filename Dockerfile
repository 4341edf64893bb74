# The product without servers: the same image is app, worker and scheduler.
FROM python:3.12-slim-bookworm
ENV PYTHONUTF8=1 PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
WORKDIR /app
COPY requirements.lock ./
RUN pip install --no-cache-dir --require-hashes --no-deps -r requirements.lock
COPY backend ./backend
COPY inspection_plans ./inspection_plans
COPY media ./media
COPY LICENSE ./
RUN python -m backend phone && rm -rf backend/phone/node_modules
RUN useradd --uid 10001 --no-create-home mingcha && install -d -o mingcha -m 0700 /var/lib/mingcha
USER mingcha
VOLUME /var/lib/mingcha
EXPOSE 8000
ENTRYPOINT ["python", "-m", "backend"]
CMD ["serve", "--host", "0.0.0.0", "--port", "8000"]
