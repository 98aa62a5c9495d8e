from tests.entrypoints.cli.terminal import Terminal
from tests.fixtures.process import MetastoreProcess


async def test_processing_again_says_how_many_files_it_is_about(
    terminal: Terminal, metastore: MetastoreProcess
) -> None:
    ended = await terminal.run("admin", "reprocess", "--all", "--data-dir", str(metastore.data_dir))
    assert ended.code == 0, ended.err
    assert ended.out.endswith(" will be processed again\n")
