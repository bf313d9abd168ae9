"""What pyproject.toml cannot say: ``.mim``, where mim looks for configs, tools and the model index."""

import os
import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

PACKAGE = 'i2md_mmaction'
SHIPPED = ('configs', 'tools', 'model-index.yml')
ROOT = Path(__file__).resolve().parent


class BuildWithMim(build_py):
    """Builds the package and its ``.mim``: copies in a wheel, links in an editable install."""

    def run(self) -> None:
        super().run()
        if self.editable_mode:
            self.link()
        else:
            self.copy()

    def copy(self) -> None:
        """Copies into the build folder; shell scripts, which set up or test a checkout, stay there."""
        mim = Path(self.build_lib, PACKAGE, '.mim')
        shutil.rmtree(mim, ignore_errors=True)  # of an earlier build, with files that may be gone by now
        mim.mkdir(parents=True)
        for name in SHIPPED:
            if (ROOT / name).is_dir():
                ignored = shutil.ignore_patterns('__pycache__', '*.sh')
                shutil.copytree(ROOT / name, mim / name, ignore=ignored)
            else:
                shutil.copy2(ROOT / name, mim / name)

    def link(self) -> None:
        """Links in the checkout, and says where that is.

        mim and MMEngine seek a package in the folder of its metadata, which is
        site-packages here too, under its own name or else under the first of
        ``top_level.txt``. A path there leads them to the checkout.
        """
        mim = ROOT / PACKAGE / '.mim'
        mim.mkdir(exist_ok=True)
        for name in SHIPPED:
            if not (mim / name).is_symlink():
                (mim / name).symlink_to(Path(os.pardir, os.pardir, name))
        unpacked_wheel = Path(self.get_finalized_command('install').install_lib)
        for metadata in unpacked_wheel.glob('*.dist-info'):
            (metadata / 'top_level.txt').write_text(f'{ROOT / PACKAGE}\n{PACKAGE}\n', encoding='utf-8')


setup(cmdclass={'build_py': BuildWithMim})
