"""Arrays of the data as pictures, painted with hard pixel edges: what the network sees is what is shown."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QRectF
from PySide6.QtGui import QImage, QPainter, QPainterPath


def picture_image(values: np.ndarray, low: float | None = None, high: float | None = None) -> QImage:
    """QImage of H x W, H x W x 1 or H x W x 3 values; other channel counts show the mean of the channels.

    `low` and `high` are the values of black and white. Left out: 0 and 1 where the values lie between them, else the
    smallest and largest value of the picture.
    """
    pixels = np.asarray(values, dtype=np.float32)
    if pixels.ndim == 3 and pixels.shape[2] not in (1, 3):
        pixels = pixels.mean(axis=2)
    if pixels.ndim == 3 and pixels.shape[2] == 1:
        pixels = pixels[:, :, 0]
    pixels = np.nan_to_num(pixels, nan=0.0, posinf=1e30, neginf=-1e30)
    if low is None or high is None:
        least, most = float(pixels.min()), float(pixels.max())
        inside = least >= -0.001 and most <= 1.001
        low, high = (0.0, 1.0) if inside else (least, most)
    span = high - low if high > low else 1.0
    grey = np.clip((pixels - low) * (255.0 / span) + 0.5, 0, 255).astype(np.uint8)
    height, width = grey.shape[:2]
    if grey.ndim == 2:
        return QImage(np.ascontiguousarray(grey).data, width, height, width, QImage.Format.Format_Grayscale8).copy()
    return QImage(np.ascontiguousarray(grey).data, width, height, 3 * width, QImage.Format.Format_RGB888).copy()


def paint_picture(painter: QPainter, rect: QRectF, image: QImage, radius: float = 4) -> QRectF:
    """Draw an image as large as fits into `rect`, centred, without smoothing small ones. Returns the place it took."""
    if image.isNull() or rect.isEmpty():
        return rect
    scale = min(rect.width() / image.width(), rect.height() / image.height())
    width, height = image.width() * scale, image.height() * scale
    place = QRectF(rect.center().x() - width / 2, rect.center().y() - height / 2, width, height)
    painter.save()
    clip = QPainterPath()
    clip.addRoundedRect(place, radius, radius)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setClipPath(clip)
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, scale < 1)
    painter.drawImage(place, image)
    painter.restore()
    return place
