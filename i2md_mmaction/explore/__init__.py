"""A page on which people look at embeddings: a map of the clips, which move beside their neighbours."""

from .clips import EmbeddedClips, FeatureSource, embed_clips, encoder_source, joints_source
from .content import make_content
from .page import render_page, write_page

__all__ = [
    'EmbeddedClips',
    'FeatureSource',
    'embed_clips',
    'encoder_source',
    'joints_source',
    'make_content',
    'render_page',
    'write_page',
]
