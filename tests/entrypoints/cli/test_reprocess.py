from tests.entrypoints.cli.terminal import Terminal
from tests.fixtures.process import MetastoreProcess


async def test_reprocess_reports_the_number_of_files(terminal: Terminal, metastore: MetastoreProcess) -> None:
    ended = await terminal.run("admin", "reprocess", "--all", "--data-dir", str(metastore.data_dir))
    assert ended.code == 0, ended.err
    assert ended.out.endswith(" will be processed again\n")
