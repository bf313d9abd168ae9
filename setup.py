from setuptools import find_packages, setup

setup(
    name='i2md_mmaction',
    version='0.1.0',
    description='Self-supervised skeleton action recognition (I2MD, CMD, AimCLR, CrosSCLR) for mmaction2 1.x',
    long_description=open('README.md', encoding='utf-8').read(),
    long_description_content_type='text/markdown',
    license='Apache-2.0',
    packages=find_packages(include=['i2md_mmaction', 'i2md_mmaction.*']),
    python_requires='>=3.10,<3.13',
    install_requires=open('requirements.txt', encoding='utf-8').read().split('\n'),
)
