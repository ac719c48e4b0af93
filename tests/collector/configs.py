"""The Collector configurations of the project, and reading them strictly."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

FOLDER = Path(__file__).parent.parent.parent / "collector-config"
AGENT = FOLDER / "agent" / "config.yaml"
MANIFEST = FOLDER / "builder" / "manifest.yaml"
CONFIGS = sorted(path for path in FOLDER.rglob("*.yaml") if path != MANIFEST)


class _StrictLoader(yaml.SafeLoader):
    """YAML whose mappings name each key once."""

    def construct_mapping(
        self,
        node: yaml.MappingNode,
        deep: bool = False,  # noqa: FBT002 - the library's signature
    ) -> dict[Any, Any]:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        repeated = sorted({str(key) for key in keys if keys.count(key) > 1})
        if repeated:
            raise yaml.constructor.ConstructorError(None, None, f"repeated keys: {repeated}", node.start_mark)
        return super().construct_mapping(node, deep)


def load(text: str) -> Any:
    """A YAML document; a repeated key is an error, where YAML readers usually let the last one win."""
    return yaml.load(text, Loader=_StrictLoader)
