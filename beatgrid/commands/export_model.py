"""Write a network as an ONNX file: ``beatgrid export-model ckpt=... out=model.onnx``."""

from __future__ import annotations

from pathlib import Path

from omegaconf import DictConfig

from beatgrid.commands.cli import entry
from beatgrid.errors import BeatgridError
from beatgrid.files import printable, write_bytes
from beatgrid.networks.checkpoint import load_model
from beatgrid.networks.onnx_export import onnx_bytes
from beatgrid.predictor import find_checkpoint


@entry("export_model", paths=("ckpt", "out"))
def main(cfg: DictConfig) -> None:
    """Export, check against torch, write."""
    out = Path(cfg.out)
    if out.suffix != ".onnx":
        raise BeatgridError(f"out={out}: must end in .onnx, by which predict knows what runs it")
    model = load_model(find_checkpoint(cfg.ckpt))
    content, difference = onnx_bytes(model)
    try:
        write_bytes(out, content)
    except OSError as error:
        raise BeatgridError(f"out={out}: cannot be written ({error.strerror})") from error
    print(f"logits differ from torch's by at most {difference:.1e}")
    print(f"wrote {printable(out)}: use it with ckpt='{printable(out)}'")
