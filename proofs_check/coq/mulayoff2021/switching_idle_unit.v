(* Mulayoff, Michaeli and Soudry 2021, Lemma 5 as printed (M7): refuted by one unit with w1 = b1 = 0. *)

From Coq Require Import Reals Lra Lia List.
From ImplicitSmoothness Require Import Sums two_layer mulayoff2021.stability mulayoff2021.switching.
Import ListNotations.
Open Scope R_scope.

(* mulayoff2021, Lemma 5, eq 33 (M7), is false as printed: a unit with w1 = b1 = 0 toggles on every data point. One such
   unit with w2 = 10 and the data -1, -1/2, 1/2, 1: active on all of them or on none, as small changes of b1 make it. *)

Definition idle_network : network := Network [Neuron 0 0 10] 0.
Definition four_points : list R := [-1; -1 / 2; 1 / 2; 1].
Definition raise_or_lower (s : R) (p : parameter) : R := match p with B1 _ => s | _ => 0 end.
Definition all_active : nat -> R -> bool := mode_of idle_network (raise_or_lower 1).
Definition none_active : nat -> R -> bool := mode_of idle_network (raise_or_lower (-1)).
Definition top_vector (p : parameter) : R := match p with B1 _ => 10 | B2 => 1 | _ => 0 end.

Lemma idle_modes t : all_active 0 t = true /\ none_active 0 t = false.
Proof.
  unfold all_active, none_active, mode_of, pre_activation, raise_or_lower. simpl.
  destruct (Rlt_dec 0 (0 * t + 0)); [lra|]. destruct (Rlt_dec (0 * t + 0) 0); [lra|].
  split; [destruct (Rlt_dec 0 (t * 0 + 1))|destruct (Rlt_dec 0 (t * 0 + -1))]; lra || easy.
Qed.

Theorem printed_lemma_5_fails :
  let net := idle_network in let x := four_points in let C := 10 in let p := 1%nat in
  let lambda := 101 in let lambda' := 1 in
  is_mode net x all_active /\ is_mode net x none_active
  /\ gradients_within net x C /\ toggling_at_most net x p
  (* top eigenpairs: (lambda, top_vector) of the one mode, lambda' of the other *)
  /\ (forall r, In r (parameters net) ->
      apply (parameters net) (hessian_on net x all_active) top_vector r = lambda * top_vector r)
  /\ lambda_max_at_most (parameters net) lambda (hessian_on net x all_active)
  /\ lambda_max_at_most (parameters net) lambda' (hessian_on net x none_active)
  /\ sqrt 3 * C * (sqrt lambda + sqrt lambda') * sqrt (INR p / INR (length x)) * norm (parameters net) top_vector
     < norm (parameters net) (fun r =>
         apply (parameters net) (hessian_on net x none_active) top_vector r - lambda * top_vector r).
Proof.
  intros net x C p lambda lambda'. subst net. assert (INR (length x) = 4) as n by (simpl; lra).
  assert (forall t, mode_gradient idle_network all_active t (W1 0) = 10 * t
    /\ mode_gradient idle_network all_active t (B1 0) = 10
    /\ mode_gradient idle_network all_active t (W2 0) = 0 /\ mode_gradient idle_network all_active t B2 = 1) as on.
  { intros t. simpl. rewrite (proj1 (idle_modes t)). unfold pre_activation. simpl. repeat split; ring. }
  assert (forall t, mode_gradient idle_network none_active t (W1 0) = 0
    /\ mode_gradient idle_network none_active t (B1 0) = 0
    /\ mode_gradient idle_network none_active t (W2 0) = 0 /\ mode_gradient idle_network none_active t B2 = 1) as off.
  { intros t. simpl. rewrite (proj2 (idle_modes t)). easy. }
  split; [apply mode_of_is_mode|]. split; [apply mode_of_is_mode|]. split; [|split; [|split; [|split; [|split]]]].
  - intros m t r _ Ht Hr. assert (Rabs t <= 1) by (destruct Ht as [<-|[<-|[<-|[<-|[]]]]]; apply Rabs_le; lra).
    assert (-1 <= t <= 1) by (unfold Rabs in *; destruct (Rcase_abs t); lra).
    destruct Hr as [<-|[<-|[<-|[<-|[]]]]]; simpl; unfold pre_activation, C; simpl; apply Rabs_le;
      try destruct (m 0%nat t); lra.
  - intros t _. unfold p, toggles. simpl. destruct (Req_EM_T (pre_activation (unit idle_network 0) t) 0); simpl; lia.
  - intros r Hr. unfold apply, hessian_on, mean. rewrite n. unfold x, four_points.
    destruct (on (-1)) as [a1 [b1' [c1 d1]]], (on (-1/2)) as [a2 [b2' [c2 d2]]], (on (1/2)) as [a3 [b3 [c3 d3]]],
      (on 1) as [a4 [b4 [c4 d4]]].
    destruct Hr as [<-|[<-|[<-|[<-|[]]]]]; unfold parameters, lambda; simpl in *;
      rewrite ?a1, ?b1', ?c1, ?a2, ?b2', ?c2, ?a3, ?b3, ?c3, ?a4, ?b4, ?c4; lra.
  - intros v. rewrite quadratic_hessian. unfold mean. rewrite n. unfold x, four_points, along, dot, parameters, lambda.
    destruct (on (-1)) as [a1 [b1' [c1 d1]]], (on (-1/2)) as [a2 [b2' [c2 d2]]], (on (1/2)) as [a3 [b3 [c3 d3]]],
      (on 1) as [a4 [b4 [c4 d4]]].
    simpl in *. rewrite a1, b1', c1, a2, b2', c2, a3, b3, c3, a4, b4, c4.
    set (a := v (W1 0)). set (b := v (B1 0)). set (c := v (W2 0)). set (d := v B2).
    pose proof (pow2_ge_0 (b - 10 * d)). pose proof (pow2_ge_0 a). pose proof (pow2_ge_0 c). lra.
  - intros v. rewrite quadratic_hessian. unfold mean. rewrite n. unfold x, four_points, along, dot, parameters, lambda'.
    destruct (off (-1)) as [a1 [b1' [c1 d1]]], (off (-1/2)) as [a2 [b2' [c2 d2]]], (off (1/2)) as [a3 [b3 [c3 d3]]],
      (off 1) as [a4 [b4 [c4 d4]]].
    simpl in *. rewrite a1, b1', c1, a2, b2', c2, a3, b3, c3, a4, b4, c4.
    pose proof (pow2_ge_0 (v (W1 0))). pose proof (pow2_ge_0 (v (B1 0))). pose proof (pow2_ge_0 (v (W2 0))). lra.
  - assert (norm (parameters idle_network) top_vector = sqrt 101) as ->
      by (unfold norm; f_equal; unfold dot, parameters; simpl; ring).
    replace (norm (parameters idle_network) _) with (sqrt 1030100).
    2: { unfold norm. f_equal. unfold dot, apply, hessian_on, mean. rewrite n.
      unfold x, four_points, parameters, lambda.
      destruct (off (-1)) as [a1 [b1' [c1 d1]]], (off (-1/2)) as [a2 [b2' [c2 d2]]],
        (off (1/2)) as [a3 [b3 [c3 d3]]], (off 1) as [a4 [b4 [c4 d4]]].
      simpl in *. rewrite a1, b1', c1, a2, b2', c2, a3, b3, c3, a4, b4, c4. lra. }
    unfold C, lambda, lambda', p. rewrite n, sqrt_1. replace (sqrt (INR 1 / 4)) with (1 / 2).
    2: { replace (INR 1 / 4) with (1 / 2 * (1 / 2)) by (simpl; lra). symmetry. apply sqrt_square. lra. }
    assert (sqrt 101 <= 10.05) as root.
    { rewrite <- (sqrt_square 10.05) by lra. apply sqrt_le_1_alt. lra. }
    assert (sqrt 3 <= 1.7321) as root3.
    { rewrite <- (sqrt_square 1.7321) by lra. apply sqrt_le_1_alt. lra. }
    assert (1010 <= sqrt 1030100) as big.
    { rewrite <- (sqrt_square 1010) by lra. apply sqrt_le_1_alt. lra. }
    pose proof (sqrt_sqrt 101 ltac:(lra)) as square. pose proof (sqrt_pos 3).
    replace (sqrt 3 * 10 * (sqrt 101 + 1) * (1 / 2) * sqrt 101) with (5 * sqrt 3 * (sqrt 101 * sqrt 101 + sqrt 101))
      by field.
    rewrite square.
    assert (sqrt 3 * (101 + sqrt 101) <= 1.7321 * (101 + 10.05))
      by (apply Rmult_le_compat; lra || (pose proof (sqrt_pos 101); lra)).
    lra.
Qed.
