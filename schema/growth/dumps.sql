-- The databases that are compared, and how one goes with the first: 'process', 'fork', 'likely', 'run'.
SELECT d.step, d.path, d.kind, d.pid, d.exe, d.build_id, d.machine, d.taken_at, d.retention, d.objects, d.bytes,
       CASE WHEN d.execution IS NOT NULL AND f.execution IS NOT NULL THEN
                CASE WHEN d.execution <> f.execution THEN 'run' WHEN d.pid IS f.pid THEN 'process' ELSE 'fork' END
            WHEN d.pid IS f.pid AND d.exe IS f.exe AND d.build_id IS f.build_id AND d.layout IS f.layout
                 AND d.kind = 'core' AND d.layout IS NOT NULL THEN 'likely'
            ELSE 'run' END AS relation,
       lag(d.taken_at) OVER (ORDER BY d.step) > d.taken_at AS reversed
FROM main.dump d JOIN main.dump f ON f.step = 1
ORDER BY d.step
