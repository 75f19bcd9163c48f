using HeadCluster.Silo.CommandLine;

// The host listens for Ctrl-C and SIGTERM and stops the silo in order; a silo that stops abruptly is found missing by the others.
return await CommandRunner.RunAsync(new SiloCommand().Create(), args, Console.Out, cancelWithin: null);
