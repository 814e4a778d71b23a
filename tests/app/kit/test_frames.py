"""However frames arrive in pieces, none is lost and none is changed; short texts are told from all others."""

import random

from hypothesis import given
from hypothesis import strategies as st
from websockets.frames import Frame, Opcode
from websockets.protocol import OPEN, SERVER, Protocol

from app.kit.frames import LONGEST, Cutter, short_text

_OPCODES = st.sampled_from([Opcode.TEXT, Opcode.BINARY, Opcode.CONT])
_SIZES = st.sampled_from([0, 1, 5, 125, 126, 300, LONGEST - 8, LONGEST, LONGEST + 1, 65_535, 65_536, 70_000])
_CONTROL = st.tuples(
    st.sampled_from([Opcode.PING, Opcode.PONG]), st.integers(0, 125), st.just(True), st.booleans()
)
_FRAMES = st.lists(st.tuples(_OPCODES, _SIZES, st.booleans(), st.booleans()) | _CONTROL, max_size=8)


@given(frames=_FRAMES, seed=st.integers(0, 2**32))
def test_what_arrives_in_pieces_is_cut_at_the_borders_of_frames(
    frames: list[tuple[Opcode, int, bool, bool]], seed: int
) -> None:
    chance = random.Random(seed)
    stream, texts = b"", []
    for opcode, size, fin, masked in frames:
        payload = chance.randbytes(size)
        frame = Frame(opcode, payload, fin).serialize(mask=masked)
        stream += frame
        if opcode is Opcode.TEXT and fin and masked and len(frame) <= LONGEST:
            texts.append(payload)
    cutter, pieces = Cutter(), []
    while stream:
        step = chance.choice([3, 7, 200, 5000, len(stream)])
        chunk, stream = stream[:step], stream[step:]
        pieces += list(cutter.cut(chunk))
    found = [piece.text() for piece in pieces if piece.begin]
    # A short text that came in parts is the library's: what is found is found in order, and nothing else is.
    rest = iter(texts)
    assert all(text in rest for text in found)


@given(frames=_FRAMES, step=st.integers(40, 9000))
def test_the_pieces_are_what_arrived(frames: list[tuple[Opcode, int, bool, bool]], step: int) -> None:
    stream = b"".join(
        Frame(opcode, bytes(size), fin).serialize(mask=masked) for opcode, size, fin, masked in frames
    )
    cutter = Cutter()
    pieces = [piece for at in range(0, len(stream), step) for piece in cutter.cut(stream[at : at + step])]
    assert b"".join(piece.data for piece in pieces) == stream


def test_frames_that_arrive_whole_are_all_found() -> None:
    texts = [b"", b"[2]", b"x" * 125, b"y" * 126, b"z" * 4000]
    stream = b"".join(Frame(Opcode.TEXT, text).serialize(mask=True) for text in texts)
    assert [piece.text() for piece in Cutter().cut(stream)] == texts
    for text in texts:
        assert Cutter().alone(Frame(Opcode.TEXT, text).serialize(mask=True)) == text


@given(frames=_FRAMES, keep=st.integers(0, 20))
def test_only_one_short_text_is_alone(frames: list[tuple[Opcode, int, bool, bool]], keep: int) -> None:
    stream = b"".join(
        Frame(opcode, bytes(size), fin).serialize(mask=masked) for opcode, size, fin, masked in frames
    )[: None if keep == 0 else keep]
    if not stream:
        return
    alone = Cutter().alone(stream)
    pieces = list(Cutter().cut(stream))
    short = len(pieces) == 1 and bool(pieces[0].begin) and len(pieces[0].data) == len(stream)
    assert (alone is not None) == short
    assert alone is None or alone == pieces[0].text()


def test_nothing_is_alone_behind_the_beginning_of_another_frame() -> None:
    first, second = (Frame(Opcode.TEXT, text).serialize(mask=True) for text in (b"a" * 5000, b"[2]"))
    for begun in (first[:1], first[:100]):
        cutter = Cutter()
        list(cutter.cut(begun))
        assert cutter.alone(second) is None


def test_a_header_in_parts_waits_for_its_end() -> None:
    frame = Frame(Opcode.TEXT, b"a" * 200).serialize(mask=True)
    cutter = Cutter()
    for at in range(7):
        assert list(cutter.cut(frame[at : at + 1])) == []
    (piece,) = cutter.cut(frame[7:])
    assert piece.text() == b"a" * 200


@given(text=st.binary(max_size=200))
def test_our_short_texts_are_the_librarys(text: bytes) -> None:
    theirs = Protocol(SERVER, state=OPEN)
    theirs.send_text(text)
    frame = short_text(text)
    assert frame == (b"".join(theirs.data_to_send()) if len(text) < 126 else None)
