"""The program of the data plane process."""

from metastore.entrypoints.startup import importing

if __name__ == "__main__":
    with importing():
        from metastore.entrypoints.data_plane.object_process import main
    main()
