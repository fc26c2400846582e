"""What moves where and when: everything of a scene is a closed-form function of time.

So the 500th frame costs as much as the first, and annotation needs no drawing. Time is counted in frames and may be
fractional; lengths are pixels; ``time`` is a number or an array of shape (T,).
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from ltr.dataset.synthetic.textures import FAMILIES, draw_palette, draw_texture, shift_palette

OBJECT_TEXTURE, BACKGROUND_TEXTURE = 96, 256  # sides in pixels
VERTICES = np.linspace(0, 2 * np.pi, 48, endpoint=False)


@dataclass(frozen=True)
class Wave:
    """A sum of sinusoids: one row (amplitude, radians a frame, phase) each."""

    terms: np.ndarray

    @classmethod
    def draw(cls, rng: np.random.Generator, peak: float, periods: tuple[float, float], count: int = 3) -> Wave:
        """Returns a random wave of periods within a range (frames), whose values stay within -peak ... peak."""
        share = rng.dirichlet(np.full(count, 2.0)) * peak
        rates = 2 * np.pi / np.exp(rng.uniform(np.log(periods[0]), np.log(periods[1]), count))
        return cls(np.stack([share, rates, rng.uniform(0, 2 * np.pi, count)], axis=-1))

    @classmethod
    def draw_motion(cls, rng: np.random.Generator, peak: float, speed: float) -> Wave:
        """Returns a random wave that changes by at most ``speed`` a frame, with values within -peak ... peak."""
        wave = cls.draw(rng, speed, (16, 90), 4)
        amplitude = wave.terms[:, 0] / wave.terms[:, 1]
        wave.terms[:, 0] = amplitude * min(1.0, peak / amplitude.sum())
        return wave

    def __call__(self, time: float | np.ndarray) -> np.ndarray:
        amplitude, rate, phase = self.terms.T
        return (amplitude * np.sin(np.multiply.outer(time, rate) + phase)).sum(axis=-1)


@dataclass(frozen=True)
class Path:
    """A way through the frame: smooth waves around a centre, and jerks from one side of it to the other."""

    center: tuple[float, float]
    waves: tuple[Wave, Wave]
    jerk: tuple[float, float]
    jerk_rate: float
    jerk_phase: float

    def __call__(self, time: float | np.ndarray) -> np.ndarray:
        """Returns the place, (..., 2) x, y."""
        side = np.tanh(6 * np.sin(np.asarray(time) * self.jerk_rate + self.jerk_phase))
        return np.stack([self.center[i] + self.waves[i](time) + self.jerk[i] * side for i in range(2)], axis=-1)


@dataclass(frozen=True)
class Body:
    """A textured shape without corners that moves, turns, scales and deforms.

    Its outline has the radius ``radius * scale(t) * (1 + sum_k a_k (1 + pulse(t)) cos(k u + phase_k))`` in direction u.
    """

    texture: np.ndarray
    path: Path
    radius: float
    aspect: float
    harmonics: np.ndarray
    phases: np.ndarray
    pulse: Wave
    log_scale: Wave
    turning: float
    swing: Wave

    def axes(self, time: float | np.ndarray) -> np.ndarray:
        """Returns the matrix, (..., 2, 2), from the shape's own coordinates (radius 1) to pixels around its centre."""
        angle = self.turning * np.asarray(time) + self.swing(time)
        size = self.radius * np.exp(self.log_scale(time))
        wide, high = size * np.sqrt(self.aspect), size / np.sqrt(self.aspect)
        cosine, sine = np.cos(angle), np.sin(angle)
        rows = np.stack([wide * cosine, -high * sine, wide * sine, high * cosine], axis=-1)
        return rows.reshape(*np.shape(time), 2, 2)

    def outline(self, time: float | np.ndarray) -> np.ndarray:
        """Returns the corners of the shape's polygon in the frame, (..., V, 2) x, y."""
        order = np.arange(2, 2 + len(self.harmonics))
        ripples = self.harmonics * np.cos(np.multiply.outer(VERTICES, order) + self.phases)
        radii = 1 + np.multiply.outer(1 + self.pulse(time), ripples.sum(axis=-1))
        own = radii[..., None] * np.stack([np.cos(VERTICES), np.sin(VERTICES)], axis=-1)
        return own @ np.swapaxes(self.axes(time), -1, -2) + self.path(time)[..., None, :]


@dataclass(frozen=True)
class Bar:
    """A long bar that sweeps over a body every ``period`` frames."""

    texture: np.ndarray
    path: Path
    direction: np.ndarray
    width: float
    length: float
    speed: float
    start: float
    period: float

    def offset(self, time: float) -> float:
        """Returns how far its middle line is from the body's centre, negative before it is passed."""
        return self.speed * ((time - self.start + self.period / 2) % self.period - self.period / 2)

    def outline(self, time: float) -> np.ndarray:
        """Returns its four corners in the frame, (4, 2) x, y."""
        center = self.path(time) + self.direction * self.offset(time)
        along = np.array([-self.direction[1], self.direction[0]]) * self.length
        across = self.direction * self.width / 2
        return center + np.stack([-along - across, across - along, along + across, along - across])


@dataclass(frozen=True)
class Scene:
    """A target among distractors over a background, how it is lit and how it is filmed."""

    family: str
    size: tuple[int, int]
    target: Body
    distractors: tuple[Body, ...]
    bar: Bar | None
    background: np.ndarray
    camera: Path
    zoom: Wave
    tilt: Wave
    gain: Wave
    tint: Wave
    offset: Wave
    focus: Wave
    exposure: float
    noise: float


def draw_scene(rng: np.random.Generator, size: tuple[int, int], difficulty: float) -> Scene:
    """Returns a random scene.

    Args:
        rng: the scene is a function of what it gives, and of the other arguments.
        size: height and width of the frames in pixels.
        difficulty: between 0 and 1; raises speed, deformation, disturbances, and how alike target and surroundings are.
    """
    family = str(rng.choice(FAMILIES))
    palette = draw_palette(rng)
    target = _draw_body(rng, size, difficulty, draw_texture(rng, family, palette, OBJECT_TEXTURE), None)
    distractors = []
    for _ in range(round(difficulty * rng.uniform(2, 5))):
        near = shift_palette(rng, palette, 12 + 50 * (1 - difficulty))
        texture = draw_texture(rng, family, near, OBJECT_TEXTURE)
        distractors.append(_draw_body(rng, size, difficulty, texture, target))
    background, other = _draw_background(rng, palette, difficulty)
    frame = float(np.sqrt(size[0] * size[1]))
    return Scene(
        family=family,
        size=size,
        target=target,
        distractors=tuple(distractors),
        bar=_draw_bar(rng, size, target, other) if rng.random() < difficulty else None,
        background=background,
        camera=_draw_path(rng, (0.0, 0.0), (frame, frame), 0.015 * frame, 0.0),
        zoom=Wave.draw(rng, 0.25, (60, 200)),
        tilt=Wave.draw(rng, 0.3 * difficulty, (60, 200)),
        gain=Wave.draw(rng, 0.5 * difficulty, (20, 120)),
        tint=Wave.draw(rng, 0.15 * difficulty, (40, 120)),
        offset=Wave.draw(rng, 40 * difficulty, (20, 120)),
        focus=Wave.draw(rng, 3 * difficulty, (12, 60)),
        exposure=float(rng.uniform(0.2, 0.8)) * difficulty,
        noise=float(rng.uniform(2, 2 + 16 * difficulty)),
    )


def _draw_body(
    rng: np.random.Generator, size: tuple[int, int], difficulty: float, texture: np.ndarray, rival: Body | None
) -> Body:
    """Returns a random body; near the rival in place and size, if there is one."""
    frame = float(np.sqrt(size[0] * size[1]))
    speed = frame * rng.uniform(0.01, 0.01 + 0.035 * difficulty)
    if rival is None:
        radius = frame * rng.uniform(0.065, 0.105)
        room = (0.38 * size[1], 0.38 * size[0])
        middle = (size[1] * rng.uniform(0.45, 0.55), size[0] * rng.uniform(0.45, 0.55))
    else:
        radius = rival.radius * rng.uniform(0.75, 1.25)
        room = (0.45 * size[1], 0.45 * size[0])
        middle = tuple((np.array(rival.path.center) + rng.normal(0, 0.15, 2) * (size[1], size[0])).tolist())
    harmonics = rng.uniform(0, 0.3, 4) / np.arange(1, 5)
    return Body(
        texture=texture,
        path=_draw_path(rng, middle, room, speed, frame * rng.uniform(0, 0.07) * difficulty),
        radius=radius,
        aspect=float(np.exp(rng.uniform(-0.4, 0.4))),
        harmonics=harmonics,
        phases=rng.uniform(0, 2 * np.pi, 4),
        pulse=Wave.draw(rng, 0.9 * difficulty, (12, 60)),
        log_scale=Wave.draw(rng, 0.2 + 0.3 * difficulty, (40, 150)),
        turning=float(rng.normal(0, 0.04)) * difficulty,
        swing=Wave.draw(rng, 0.7 * difficulty, (20, 80)),
    )


def _draw_path(
    rng: np.random.Generator, center: tuple[float, ...], room: tuple[float, float], speed: float, jerk: float
) -> Path:
    angle = rng.uniform(0, 2 * np.pi)
    return Path(
        center=(center[0], center[1]),
        waves=(Wave.draw_motion(rng, room[0] - jerk, speed), Wave.draw_motion(rng, room[1] - jerk, speed)),
        jerk=(jerk * float(np.cos(angle)), jerk * float(np.sin(angle))),
        jerk_rate=2 * np.pi / rng.uniform(30, 70),
        jerk_phase=rng.uniform(0, 2 * np.pi),
    )


def _draw_bar(rng: np.random.Generator, size: tuple[int, int], target: Body, texture: np.ndarray) -> Bar:
    angle = rng.uniform(0, 2 * np.pi)
    speed = rng.uniform(0.25, 0.5) * target.radius
    return Bar(
        texture=texture,
        path=target.path,
        direction=np.array([np.cos(angle), np.sin(angle)]),
        width=target.radius * rng.uniform(0.6, 1.8),
        length=float(np.hypot(*size)),
        speed=speed,
        start=rng.uniform(12, 40),
        period=max(rng.uniform(50, 90), 2 * float(np.hypot(*size)) / speed),
    )


def _draw_background(rng: np.random.Generator, palette: np.ndarray, difficulty: float) -> tuple[np.ndarray, np.ndarray]:
    """Returns a background of textures at several scales, and a part of the coarse one."""
    likeness = rng.uniform(0, difficulty)
    colours = (1 - likeness) * draw_palette(rng) + likeness * palette
    coarse = draw_texture(rng, str(rng.choice(FAMILIES)), colours, BACKGROUND_TEXTURE)
    fine = draw_texture(rng, str(rng.choice(FAMILIES)), shift_palette(rng, colours, 30), OBJECT_TEXTURE)
    margin = (BACKGROUND_TEXTURE - OBJECT_TEXTURE) // 2
    fine = cv2.copyMakeBorder(fine, margin, margin, margin, margin, cv2.BORDER_REFLECT)
    share = draw_texture(rng, "grain", np.array([[0.0] * 3, [128.0] * 3, [255.0] * 3]), BACKGROUND_TEXTURE)
    mixed = fine + (coarse.astype(np.float32) - fine) * (share.astype(np.float32) / 255)
    return mixed.astype(np.uint8), coarse[:OBJECT_TEXTURE, :OBJECT_TEXTURE].copy()
