package components

import (
	"flag"
	"fmt"
	"net/url"
	"os"
	"os/signal"
	"syscall"
	"time"

	"go.etcd.io/etcd/server/v3/embed"
)

// runEtcd serves etcd on two loopback ports until SIGTERM. It does not sync to disk: the
// data of a test need not survive the machine.
func runEtcd(args []string) int {
	flags := flag.NewFlagSet("etcd", flag.ExitOnError)
	dir := flags.String("data-dir", "", "where the data is kept")
	client := flags.String("client-url", "", "where clients connect")
	peer := flags.String("peer-url", "", "where peers would connect")
	_ = flags.Parse(args)

	config := embed.NewConfig()
	config.Dir = *dir
	config.UnsafeNoFsync = true
	config.LogLevel = "warn"
	for _, part := range []struct {
		text   string
		listen *[]url.URL
		advert *[]url.URL
	}{
		{*client, &config.ListenClientUrls, &config.AdvertiseClientUrls},
		{*peer, &config.ListenPeerUrls, &config.AdvertisePeerUrls},
	} {
		parsed, err := url.Parse(part.text)
		if err != nil {
			fmt.Fprintln(os.Stderr, "etcd:", err)
			return 2
		}
		*part.listen = []url.URL{*parsed}
		*part.advert = []url.URL{*parsed}
	}
	config.InitialCluster = config.InitialClusterFromName(config.Name)

	server, err := embed.StartEtcd(config)
	if err != nil {
		fmt.Fprintln(os.Stderr, "etcd:", err)
		return 1
	}
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM, syscall.SIGINT)
	select {
	case <-server.Server.ReadyNotify():
	case <-time.After(30 * time.Second):
		fmt.Fprintln(os.Stderr, "etcd: not ready after 30 s")
		return 1
	}
	select {
	case <-stop:
		server.Close()
		return 0
	case err := <-server.Err():
		fmt.Fprintln(os.Stderr, "etcd:", err)
		return 1
	}
}
