from pathlib import Path

from setuptools import find_packages, setup

here = Path(__file__).parent
requirements = (here / 'requirements.txt').read_text(encoding='utf-8').splitlines()

setup(
    name='i2md_mmaction',
    version='0.1.0',
    description='Self-supervised skeleton action recognition (I2MD, CMD, AimCLR, CrosSCLR) for mmaction2 1.x',
    long_description=(here / 'README.md').read_text(encoding='utf-8'),
    long_description_content_type='text/markdown',
    license='Apache-2.0',
    packages=find_packages(include=['i2md_mmaction', 'i2md_mmaction.*']),
    package_data={'i2md_mmaction.evaluation': ['published.json']},
    python_requires='>=3.10,<3.13',
    install_requires=[line for line in requirements if line and not line.startswith('#')],
)
