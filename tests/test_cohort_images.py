"""Any PNG or JPEG becomes 8-bit grey of one size, once; what is no image is marked and never a crash."""

import io

import numpy as np
import polars as pl
import pytest
from cohorts import draw_image
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from lib.cohort import images
from lib.cohort.images import load_pixels, read_grey

GREY = draw_image(np.random.default_rng(3), sick=True)


def png(picture: Image.Image, kind="PNG", **options) -> bytes:
    stream = io.BytesIO()
    picture.save(stream, kind, **options)
    return stream.getvalue()


def frame_of(tmp_path, *contents: bytes) -> pl.DataFrame:
    """A frame of files with these contents; a file's digest is its content, shortened."""
    rows = []
    for number, content in enumerate(contents):
        path = tmp_path / f"{number}.png"
        path.write_bytes(content)
        rows.append((str(path), str(hash(content))))
    return pl.DataFrame(rows, schema=["path", "digest"], orient="row")


GREY_IN_ALL_MODES = {
    "grey": Image.fromarray(GREY),
    "RGB": Image.fromarray(GREY).convert("RGB"),
    "palette": Image.fromarray(GREY).convert("P"),
    "grey and alpha": Image.fromarray(GREY).convert("LA"),
    "RGB and alpha": Image.fromarray(GREY).convert("RGBA"),
    "16 bits": Image.fromarray(GREY.astype(np.uint16) * 257),
}


@pytest.mark.parametrize("mode", GREY_IN_ALL_MODES)
def test_every_mode_gives_the_same_grey(tmp_path, mode):
    (tmp_path / "a.png").write_bytes(png(GREY_IN_ALL_MODES[mode]))
    assert np.array_equal(read_grey(tmp_path / "a.png", 64), GREY)


def test_jpeg_is_read_whatever_its_suffix(tmp_path):
    (tmp_path / "a.png").write_bytes(png(Image.fromarray(GREY), "JPEG", quality=95))
    assert np.abs(read_grey(tmp_path / "a.png", 64).astype(int) - GREY).mean() < 5


def test_black_and_white_and_full_16_bit_range(tmp_path):
    ramp = np.linspace(0, 65535, 64 * 64).reshape(64, 64).astype(np.uint16)
    (tmp_path / "a.png").write_bytes(png(Image.fromarray(ramp)))
    grey = read_grey(tmp_path / "a.png", 64)
    assert (grey[0, 0], grey[-1, -1]) == (0, 255)
    assert (np.diff(grey.ravel().astype(int)) >= 0).all()
    (tmp_path / "b.png").write_bytes(png(Image.new("1", (64, 64), 1)))
    assert (read_grey(tmp_path / "b.png", 32) == 255).all()


@pytest.mark.parametrize("depth", [8, 10, 12, 14, 16])
def test_16_bit_files_are_scaled_by_the_bits_that_the_cohort_holds(tmp_path, caplog, depth):
    white = 2**depth - 1
    dim, bright = GREY.astype(float) / GREY.max() * 0.2, np.linspace(0, 1, 4096).reshape(64, 64)
    deep = [np.rint(shares * white).astype(np.uint16) for shares in (dim, bright)]
    contents = [png(Image.fromarray(values)) for values in deep]
    pixels = load_pixels(frame_of(tmp_path, *contents, png(Image.fromarray(GREY))), 64, tmp_path / "cache")
    for row, shares in enumerate((dim, bright)):  # the dim one stays dim: no image is stretched by itself
        assert np.abs(pixels.values[row] - 255 * shares).max() <= 1
    assert np.array_equal(pixels.values[2], GREY)
    told = f"16-bit images: the highest value of 2 is {white}, all are read as of {depth} bits."
    assert caplog.messages == ([told] if depth < 16 else [])


@pytest.mark.parametrize("shape", [(64, 64), (40, 80), (256, 256), (1, 1)])
def test_every_shape_is_resized(tmp_path, shape):
    (tmp_path / "a.png").write_bytes(png(Image.new("L", shape, 9)))
    grey = read_grey(tmp_path / "a.png", 32)
    assert grey.shape == (32, 32) and (grey == 9).all() and grey.dtype == np.uint8


def test_an_unreadable_image_is_marked_and_the_others_are_read(tmp_path):
    good = png(Image.fromarray(GREY))
    frame = frame_of(tmp_path, good, b"", b"not an image", good[: len(good) // 2], png(Image.fromarray(GREY), "GIF"))
    pixels = load_pixels(frame, 64, tmp_path / "cache")
    assert pixels.unreadable.tolist() == [False, True, True, True, True]
    assert np.array_equal(pixels.values[0], GREY)
    assert not pixels.values[1:].any()


def test_an_image_that_is_too_large_is_refused_before_it_is_decoded(tmp_path, monkeypatch):
    monkeypatch.setattr(images, "LARGEST", 64 * 64 - 1)
    frame = frame_of(tmp_path, png(Image.fromarray(GREY)))
    assert load_pixels(frame, 32, tmp_path / "cache").unreadable.tolist() == [True]


def test_a_file_that_is_gone_is_marked(tmp_path):
    frame = frame_of(tmp_path, png(Image.fromarray(GREY)))
    (tmp_path / "0.png").unlink()
    assert load_pixels(frame, 32, tmp_path / "cache").unreadable.tolist() == [True]


@settings(max_examples=60)
@given(st.data())
def test_damaged_bytes_never_raise(tmp_path_factory, data):
    kind = data.draw(st.sampled_from(["PNG", "JPEG"]))
    content = bytearray(png(Image.fromarray(GREY), kind))
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    folder = tmp_path_factory.mktemp("damaged")
    assert load_pixels(frame_of(folder, bytes(content)), 32, folder).values.shape == (1, 32, 32)


def decoded(monkeypatch) -> list[str]:
    """The names of files as they are decoded from now on."""
    seen, real = [], images.read_grey
    monkeypatch.setattr(images, "read_grey", lambda path, *how: seen.append(path.name) or real(path, *how))
    return seen


def test_images_are_decoded_once(tmp_path, monkeypatch):
    seen = decoded(monkeypatch)
    frame = frame_of(tmp_path, png(Image.fromarray(GREY)), b"no image", png(Image.fromarray(GREY.T)))
    first = load_pixels(frame, 32, tmp_path / "cache")
    assert sorted(seen) == ["0.png", "1.png", "2.png"]
    second = load_pixels(frame, 32, tmp_path / "cache")
    assert len(seen) == 3
    assert np.array_equal(first.values, second.values)
    assert np.array_equal(first.unreadable, second.unreadable)
    assert isinstance(second.values, np.memmap)


def test_another_size_content_or_order_is_decoded_anew(tmp_path, monkeypatch):
    seen = decoded(monkeypatch)
    contents = png(Image.fromarray(GREY)), png(Image.fromarray(GREY.T))
    frame = frame_of(tmp_path, *contents)
    load_pixels(frame, 32, tmp_path / "cache")
    load_pixels(frame, 48, tmp_path / "cache")
    assert len(seen) == 4
    turned = load_pixels(frame.reverse(), 64, tmp_path / "cache")
    assert np.array_equal(turned.values[0], GREY.T)
    load_pixels(frame.head(1), 32, tmp_path / "cache")
    assert len(seen) == 7


def test_the_same_content_elsewhere_is_not_decoded_again(tmp_path, monkeypatch):
    seen = decoded(monkeypatch)
    for place in ("here", "there"):
        (tmp_path / place).mkdir()
        frame = frame_of(tmp_path / place, png(Image.fromarray(GREY)))
        load_pixels(frame, 32, tmp_path / "cache")
    assert len(seen) == 1


def test_an_interrupted_decoding_leaves_no_map(tmp_path, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    frame = frame_of(tmp_path, png(Image.fromarray(GREY)))
    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(images, "read_grey", interrupted)
        load_pixels(frame, 64, tmp_path / "cache")
    assert [path.name for path in (tmp_path / "cache").iterdir()] == [".locks"]
    assert np.array_equal(load_pixels(frame, 64, tmp_path / "cache").values[0], GREY)
